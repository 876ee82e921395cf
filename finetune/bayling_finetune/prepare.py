"""From a recipe to prepared data: tokenizer, training and development dialogues. Done once for a run."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from bayling_finetune.base import Base
from bayling_finetune.config import Recipe, TokenizerConfig
from bayling_finetune.dataset import Dataset, tokenize_into
from bayling_finetune.dialogue_files import DialogueReader, files_digest, held_out
from bayling_finetune.dialogues.builder import both_ways, build
from bayling_finetune.dialogues.corpus import make_tools
from bayling_finetune.dialogues.pool import Pool, cores
from bayling_finetune.dialogues.tools import Tools
from bayling_finetune.dialogues.values import Dialogue, Kind
from bayling_finetune.dialogues.values import dialogue as made
from bayling_finetune.parallel import Corpus, Pair, data_digest, directions, load_corpus
from bayling_finetune.rundir import RunFolder
from bayling_finetune.sentencepiece_tokenizer import SentencePieceTokenizer, train_tokenizer
from bayling_finetune.tokenizer import Tokenizer, load_tokenizer
from bayling_lite.errors import OutputError, RecipeError
from bayling_lite.prompts import TEMPLATES, PromptTemplate, translation_instruction, user_turn
from bayling_lite.whole_file import replace_whole

_DEVELOPMENT_PAIRS = 600
_DEVELOPMENT_DIALOGUES = 600
_STAMP = "prepared.json"
_CHUNK = 500  # pairs that a process makes dialogues of at a time
_MANY = 20_000  # pairs from which on several processes are worth starting

Item = TypeVar("Item")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What training needs of the data. ``data_sha256`` covers the files' contents, in the recipe's order.

    ``fingerprint`` stands for all that decides tokens and dialogues: checkpoints of another one cannot be gone on from.
    ``evaluation``: held-out requests to translate, each with its reference as the answer.
    """

    tokenizer: Tokenizer
    train: Dataset
    development: Dataset
    data_sha256: str
    fingerprint: str
    evaluation: list[Dialogue]


def prepare(
    recipe: Recipe, root: Path, run: RunFolder, *, base: Base | None = None, say: Say = lambda _: None
) -> Prepared:
    """Load what an earlier call left in the run's folder, or make it.

    Without the data files, what was prepared from them still serves. ``base`` is the checkpoint that training begins
    from; its tokenizer is taken. ``root`` is the folder of the data files.

    Raises:
        RecipeError: the data cannot be used, or differ from what the run's checkpoints were trained on.
        OutputError: the prepared data cannot be written.
    """
    settings = _settings_digest(recipe, base)
    stamp = _read_stamp(run.path / _STAMP)
    try:
        data = _data_digest(recipe, root)
    except RecipeError:
        if stamp.get("recipe_data") != settings:
            raise
        say("The data files are not there; what was prepared from them is used.")
        data = stamp["data_sha256"]
    fingerprint = hashlib.sha256(f"{settings}{data}".encode()).hexdigest()
    if stamp == {"recipe_data": settings, "data_sha256": data}:
        try:
            return _load(run, base, data, fingerprint)
        except (OSError, ValueError, KeyError, TypeError, EOFError):
            say("The prepared data are damaged; they are made again.")
    elif stamp and run.steps():
        raise RecipeError(
            f"The checkpoints in {run.path} were trained on other data, or with another tokenizer, template, base or "
            "seed, than the recipe and --data name now. Name another folder with --run."
        )
    try:
        _make(recipe, root, run, base, say)
        # The stamp comes last: without it everything above is made again.
        text = json.dumps({"recipe_data": settings, "data_sha256": data}) + "\n"
        replace_whole(run.path / _STAMP, text.encode())
    except OSError as error:
        raise OutputError(f"The prepared data cannot be written into {run.path}: {error.strerror or error}.") from error
    return _load(run, base, data, fingerprint)


def _settings_digest(recipe: Recipe, base: Base | None) -> str:
    tokenizer = recipe.tokenizer or TokenizerConfig()
    values: list[Any] = [asdict(recipe.data), asdict(tokenizer), recipe.template, recipe.schedule.seed]
    if base is not None:
        values.append(base.fingerprint())
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _data_digest(recipe: Recipe, root: Path) -> str:
    digests = [data_digest(recipe, root)] if recipe.data.parallel else []
    if recipe.data.dialogues:
        digests.append(files_digest(recipe.data.dialogues, root))
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _read_stamp(path: Path) -> dict[str, str]:
    try:
        stamp = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _load(run: RunFolder, base: Base | None, data: str, fingerprint: str) -> Prepared:
    tokenizer = load_tokenizer(base.folder) if base is not None else _own_tokenizer(run.path / "tokenizer.model")
    lines = (run.path / "evaluation.jsonl").read_text(encoding="utf-8").splitlines()
    return Prepared(
        tokenizer,
        Dataset.load(run.path / "train"),
        Dataset.load(run.path / "development"),
        data,
        fingerprint,
        [Dialogue.of(json.loads(line)) for line in lines],
    )


def _own_tokenizer(path: Path) -> Tokenizer:
    try:
        return SentencePieceTokenizer(path.read_bytes())
    except RecipeError as error:
        raise ValueError(str(error)) from error


def _make(recipe: Recipe, root: Path, run: RunFolder, base: Base | None, say: Say) -> None:
    corpus = load_corpus(recipe, root) if recipe.data.parallel else Corpus([], [], [])
    template = TEMPLATES[recipe.template]
    tokenizer = _tokenizer(recipe, corpus, run, base, template)
    development = _sampled(_everyday(corpus.development), _DEVELOPMENT_PAIRS)
    limit = recipe.data.max_tokens
    source = _Dialogues(recipe, root, corpus, development)
    train = tokenize_into(run.path / "train", source.train(), template, tokenizer, max_tokens=limit)
    if source.reader.repeated:
        say(f"{source.reader.repeated:,} dialogues of the files are there more than once; each is taken once.")
    _tell_left_out(train, limit, say)
    _check_room(recipe, base, train)
    tokenize_into(run.path / "development", source.development(), template, tokenizer, max_tokens=limit)
    # ASCII: what a text may have for a line break would end the line otherwise.
    lines = (json.dumps(request.to_dict()) + "\n" for request in source.to_translate())
    replace_whole(run.path / "evaluation.jsonl", "".join(lines).encode())


def _tokenizer(
    recipe: Recipe, corpus: Corpus, run: RunFolder, base: Base | None, template: PromptTemplate
) -> Tokenizer:
    if base is not None:
        return load_tokenizer(base.folder)
    config = recipe.tokenizer or TokenizerConfig()
    model = train_tokenizer(_tokenizer_lines(corpus, template), config, seed=recipe.schedule.seed)
    replace_whole(run.path / "tokenizer.model", model)
    return SentencePieceTokenizer(model)


@dataclass(frozen=True, slots=True)
class _Build:
    """What each process does: the dialogues of some pairs, in both directions."""

    kinds: Mapping[Kind, float]
    tools: Tools
    seed: int

    def __call__(self, pairs: Sequence[Pair]) -> list[Dialogue]:
        both = both_ways(directions(pair)[0] for pair in pairs)
        return list(build(both, self.kinds, self.tools, self.seed))


class _Dialogues:
    """The dialogues of a recipe: made of its parallel text, and those of its files."""

    def __init__(self, recipe: Recipe, root: Path, corpus: Corpus, development: Sequence[Pair]) -> None:
        self.reader = DialogueReader(root)
        self._recipe = recipe
        self._train, self._development = corpus.train, development
        self._seed = recipe.schedule.seed
        self._tools = self._make_tools()
        self._held_out: list[Dialogue] = []

    def _make_tools(self) -> Tools | None:
        if not self._train:
            return None
        return make_tools((directions(pair)[0] for pair in self._train), seed=self._seed)

    def train(self) -> Iterator[Dialogue]:
        """Those to train on; the held-out ones of files are put aside on the way."""
        yield from self._made(self._train)
        for file in self._recipe.data.dialogues:
            for dialogue in self.reader.read(file):
                if held_out(dialogue, self._recipe.data.held_out):
                    self._held_out.append(dialogue)
                else:
                    yield dialogue

    def development(self) -> Iterator[Dialogue]:
        """Those held out; :meth:`train` was run through.

        Raises:
            RecipeError: there are none.
        """
        if not self._development and not self._held_out:
            raise RecipeError(
                "So few dialogues leave nothing held out for evaluation: raise data.held_out in the recipe."
            )
        yield from self._made(self._development)
        yield from _sampled(self._held_out, _DEVELOPMENT_DIALOGUES)

    def to_translate(self) -> Iterator[Dialogue]:
        """Held-out requests with their references: of parallel text in both directions, worded as the product does."""
        for pair in self._development:
            for direction in directions(pair):
                request = translation_instruction(direction.source, direction.target_language)
                yield made(direction, Kind.TRANSLATION, request, direction.reference)
        for dialogue in _sampled(self._held_out, _DEVELOPMENT_DIALOGUES):
            if dialogue.kind is Kind.TRANSLATION and dialogue.target_language and dialogue.turns == 1:
                yield dialogue

    def _made(self, pairs: Sequence[Pair]) -> Iterator[Dialogue]:
        if self._tools is None:
            return
        kinds = {Kind(name): share for name, share in asdict(self._recipe.data.kinds).items()}
        chunks = (pairs[start : start + _CHUNK] for start in range(0, len(pairs), _CHUNK))
        with Pool(_Build(kinds, self._tools, self._seed), cores() if len(pairs) >= _MANY else 1) as pool:
            for dialogues in pool.map(chunks):
                yield from dialogues


def _sampled(items: Sequence[Item], most: int) -> list[Item]:
    return random.Random(0).sample(items, min(most, len(items)))  # noqa: S311


def _everyday(pairs: list[Pair]) -> list[Pair]:
    return [pair for pair in pairs if pair.text.everyday] or pairs


def _tell_left_out(train: Dataset, limit: int, say: Say) -> None:
    total = len(train) + train.too_long + train.unlearnt
    if train.too_long:
        say(f"{train.too_long:,} of {total:,} dialogues have more than {limit:,} tokens and are left out.")
    if train.unlearnt:
        say(f"{train.unlearnt:,} of {total:,} dialogues have no answer to learn and are left out.")


def _check_room(recipe: Recipe, base: Base | None, train: Dataset) -> None:
    """A packed row and the model's context must hold the longest dialogue and the prefix before it."""
    longest = len(train.prefix) + train.longest
    rooms = [("schedule.batch_tokens", recipe.schedule.batch_tokens)]
    if recipe.model is not None:
        rooms.append(("model.context", recipe.model.context))
    for name, room in rooms:
        if room < longest:
            raise RecipeError(
                f"{name} is {room}, but the longest dialogue has {longest} tokens: raise it to that or more."
            )
    context = base.config.get("max_position_embeddings") if base is not None else None
    if isinstance(context, int) and context < longest:
        raise RecipeError(
            f"The base has a context of {context} tokens, but the longest dialogue has {longest}: lower "
            "data.max_tokens, and longer ones are left out."
        )


def _tokenizer_lines(corpus: Corpus, template: PromptTemplate) -> list[str]:
    """Both sides of every training pair as often as an epoch passes over them, and some whole prompts."""
    lines: list[str] = []
    for number, pair in enumerate(corpus.train):
        repeats = max(1, round(pair.text.weight))
        lines.extend((pair.source, pair.target) * repeats)
        if number % 100 == 0:
            for direction in directions(pair):
                request = user_turn(translation_instruction(direction.source, direction.target_language))
                lines.extend(template.text(request).splitlines())
    return lines
