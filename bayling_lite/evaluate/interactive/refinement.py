"""Interactive refinement: scripted dialogues in which a user says what to change in a draft, turn by turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.data import DataFolder, paired, read_json_lines
from bayling_lite.evaluate.elsewhere import run_elsewhere
from bayling_lite.evaluate.families import FoundOutputs
from bayling_lite.evaluate.generating import Answered, Generator
from bayling_lite.evaluate.interactive.constrained import GUARANTEED, check_searchable
from bayling_lite.evaluate.interactive.constrained_files import find_constrained_sets, read_constrained_set
from bayling_lite.evaluate.interactive.dialogue_course import RefinementScript
from bayling_lite.evaluate.interactive.guaranteed_refining import GuaranteedRefiner
from bayling_lite.evaluate.interactive.making import from_constrained
from bayling_lite.evaluate.interactive.refinement_judging import draft_bleus, judged, refinement_scores
from bayling_lite.evaluate.interactive.refinement_sets import RefinementDialogue, read_refinement_set
from bayling_lite.evaluate.values import Answer, Decoding, Run, SetResult, Setup
from bayling_lite.prompts import Wording, translation_instruction

MAX_TOKENS = 1024
_BEFORE, _AFTER = "refinement.", ".jsonl"
_OUTPUTS = "refined."


@dataclass(frozen=True, slots=True)
class Refinement:
    """The family ``refinement``.

    Its sets are the files ``refinement.NAME.jsonl`` (:mod:`bayling_lite.evaluate.interactive.refinement_sets`) of the
    data, and of ``files`` each by the name of its own; and for each set of constrained translation one of the same
    name, made of it, unless a file has that name.

    The model answers each turn by itself, in a dialogue. ``guaranteed``: the turns are carried out by the program's own
    refinement, which guarantees the wanted words and keeps the rest; a system measured so has another name.
    """

    guaranteed: bool = False
    files: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """``refinement``."""
        return "refinement"

    def find_sets(self, data: DataFolder) -> tuple[str, ...]:
        """The sets that there are: the written ones, then those made of constrained sets, in the paper's order."""
        return tuple(dict.fromkeys((*self._written(data), *find_constrained_sets(data))))

    def dialogues(self, data: DataFolder, set_name: str) -> tuple[RefinementDialogue, ...]:
        """The dialogues of a set.

        Raises:
            UsageError: there is no such set.
            InputError: it cannot be read, and the message names the line; or nothing can be asked for in it.
        """
        paths = self._written(data).get(set_name, [])
        if len(paths) > 1:
            names = ", ".join(map(str, paths))
            raise InputError(f"There are several sets {set_name!r}: {names}. Name one of the files.")
        if paths:
            return read_refinement_set(paths[0])
        if set_name in find_constrained_sets(data):
            made = from_constrained(constrained := read_constrained_set(data, set_name))
            if not made:
                raise InputError(
                    f"No dialogue can be made of {constrained.path}: a phrase is asked for where it has two characters "
                    "or more, and is in the reference as a word of its own."
                )
            return made
        known = ", ".join(self.find_sets(data)) or "none"
        raise UsageError(f"The data has no set {set_name!r} of refinements. There are: {known}.")

    def measure(self, data: DataFolder, set_name: str, generator: Generator, setup: Setup) -> SetResult:
        """Have a set's dialogues held, and score them: the likeliest answers, unless ``setup`` asks for beams.

        Raises:
            UsageError: words are to be guaranteed by an engine that cannot search.
        """
        whole = self.dialogues(data, set_name)
        chosen = whole[: setup.limit]
        label = f"{self.name} {set_name}"
        if self.guaranteed:
            check_searchable(generator)
            refiner = GuaranteedRefiner(generator, wording=setup.wording, beam_size=setup.beam_size or 1)
            answered = refiner.answer(chosen, label=label, prompt=_prompt(chosen, setup.wording))
        else:
            answered = _held(chosen, generator, setup, label)
        system = f"{setup.system}{GUARANTEED}" if self.guaranteed else setup.system
        return self._result(set_name, chosen, answered.answers, setup.wording, system, answered.run, len(whole))

    def find_outputs(self, data: DataFolder) -> tuple[FoundOutputs, ...]:
        """Files ``SYSTEM/refined.NAME.jsonl``."""
        return tuple(
            FoundOutputs(path.absolute().parent.name, path.name.removeprefix(_OUTPUTS).removesuffix(_AFTER), path)
            for path in data.find(f"{_OUTPUTS}*{_AFTER}")
        )

    def score(self, data: DataFolder, found: FoundOutputs) -> SetResult:
        """Score dialogues held elsewhere: JSON lines in the order of the set, each with ``answers``, the first draft
        and those after it. There must be none to what is not said, as the draft was as wished already.

        Raises:
            InputError: they do not belong to the set; the message names the item.
        """
        chosen = self.dialogues(data, found.set_name)
        items = read_json_lines(found.path)
        paired(found.path, len(items), found.set_name, len(chosen))
        answers = [
            _given(item.get("answers"), dialogue, f"{found.path}, item {number}")
            for number, (item, dialogue) in enumerate(zip(items, chosen, strict=True), 1)
        ]
        run = run_elsewhere(found.path)
        return self._result(found.set_name, chosen, answers, Wording.ENGLISH, found.system, run, len(chosen))

    def _written(self, data: DataFolder) -> dict[str, list[Path]]:
        """The files of written sets, by name. One that the user names stands before those of the data."""
        found: dict[str, list[Path]] = {}
        for path in data.find(f"{_BEFORE}*{_AFTER}"):
            found.setdefault(set_of(path), []).append(path)
        return found | {set_of(path): [path] for path in self.files}

    def _result(
        self,
        set_name: str,
        dialogues: Sequence[RefinementDialogue],
        answers: Iterable[Answer],
        wording: Wording,
        system: str,
        run: Run,
        n_items: int,
    ) -> SetResult:
        outputs = tuple(judged(dialogue, answer, wording) for dialogue, answer in zip(dialogues, answers, strict=True))
        scores = refinement_scores(outputs)
        languages = {dialogue.target for dialogue in dialogues} | {
            wish.language for dialogue in dialogues for wish in dialogue.wishes if wish.language is not None
        }
        if len(languages) == 1:
            scores += draft_bleus(outputs, dialogues[0].target)
        return SetResult(system, self.name, set_name, tuple(scores), outputs, run, n_items)


def set_of(path: Path) -> str:
    """What the set of a file is called: ``mail`` of ``refinement.mail.jsonl`` and of ``mail.jsonl``."""
    return path.name.removesuffix(_AFTER).removeprefix(_BEFORE)


def _held(dialogues: Sequence[RefinementDialogue], generator: Generator, setup: Setup, label: str) -> Answered:
    scripts = [RefinementScript(dialogue, setup.wording) for dialogue in dialogues]
    decoding = Decoding(MAX_TOKENS, beam_size=setup.beam_size or 1, seed=setup.seed)
    return generator.answer(scripts, decoding, label=label, prompt=_prompt(dialogues, setup.wording))


def _prompt(dialogues: Sequence[RefinementDialogue], wording: Wording) -> str:
    """The first request as a report shows it, with dots for the text."""
    return translation_instruction("…", dialogues[0].target, wording=wording)


def _given(texts: object, dialogue: RefinementDialogue, where: str) -> Answer:
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise InputError(f'{where}: "answers" should be the drafts, a list of texts, the first translation first.')
    script, said = RefinementScript(dialogue), tuple(texts)
    for place in range(1, len(said)):
        if script.next(said[:place]) is None:
            raise InputError(
                f"{where} has {len(said)} answers, but after {place} of them the draft was as wished: dialogue "
                f"{dialogue.id} ends there."
            )
    if (turn := script.next(said)) is not None:
        raise InputError(f"{where} has {len(said)} answers, and none to what is said next: {turn.text}")
    return Answer(said, "" if all(text.strip() for text in said) else "empty")
