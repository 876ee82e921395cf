"""Which phrases of a sentence correspond to which of its translation: a statistical word aligner.

It learns from the parallel text itself (:mod:`bayling_finetune.dialogues.alignment_training`), offline. What it says is
strict rather than complete: a phrase pair counts only where both directions agree and nothing in it has a partner
outside (consistent phrase pairs: Koehn et al. 2003), so that a user's request made of it is one the reference fulfils.
"""

from __future__ import annotations

import hashlib
import heapq
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bayling_finetune.dialogues.alignment_training import UNKNOWN, Alignment, Ints, Tables, train
from bayling_finetune.dialogues.alternatives import Dictionary, alternatives
from bayling_finetune.dialogues.neighbours import Neighbours
from bayling_finetune.dialogues.phrases import phrase_pairs
from bayling_finetune.dialogues.tools import AlignedPhrase
from bayling_finetune.dialogues.values import Direction
from bayling_finetune.dialogues.words import Word, words
from bayling_lite.errors import InputError
from bayling_lite.languages import find_language

SENTENCES = 150_000
"""How many sentence pairs of a language pair are learnt from."""
WORD_PAIRS = 24_000_000
"""How many pairs of words these may have together: about 0.5 GB of memory while learning."""

_LEARNT_WORDS = 40  # longer sentences say little about words, and cost much
_LONGEST_WORDS = 100  # longer ones are not aligned
_LONGEST_TEXT = 2000  # characters; no need to cut more into words to know that they are too many
_SEEN = 2  # a word seen less often cannot be learnt


_Aligned = tuple[list[Word], list[Word], Alignment]


@dataclass(frozen=True, slots=True)
class _PairModel:
    """Tables of two languages, "first" and "second" by code, and the numbers of their words' forms."""

    first: Mapping[str, int]
    second: Mapping[str, int]
    tables: Tables
    _dictionaries: dict[bool, Dictionary] = field(default_factory=dict, compare=False)

    def dictionary(self, *, turned: bool) -> Dictionary:
        """The translations of each word of the first language; ``turned``: of the second. Made once."""
        if turned not in self._dictionaries:
            self._dictionaries[turned] = (
                Dictionary(self.second, self.first, self.tables.turned())
                if turned
                else Dictionary(self.first, self.second, self.tables)
            )
        return self._dictionaries[turned]


class AlignmentModel:
    """A lexicon for the language pairs it was trained on, either direction; see :class:`..tools.Lexicon`.

    Its tables do not change after training, so that forked processes share their memory. Words that it has seen less
    than twice are aligned only where both sides write them alike (names, numbers), else left alone.
    """

    def __init__(self, models: Mapping[str, _PairModel], neighbours: Mapping[str, Neighbours]) -> None:
        self._models = dict(models)
        for model in self._models.values():  # before processes are forked, so that they share them
            model.dictionary(turned=False)
            model.dictionary(turned=True)
        self._neighbours = dict(neighbours)
        self._last: tuple[tuple[str, str, str] | None, _Aligned | None] = None, None
        self._last_phrases: tuple[Direction | None, tuple[AlignedPhrase, ...]] = None, ()

    @classmethod
    def train(
        cls,
        pairs: Iterable[Direction],
        *,
        seed: int = 0,
        sentences: int = SENTENCES,
        word_pairs: int = WORD_PAIRS,
    ) -> AlignmentModel:
        """Learn from a sample of the pairs, chosen by ``seed`` alone, not by their order; doubles count once.

        At most ``sentences`` pairs of each language pair, as long as these have no more than ``word_pairs`` pairs of
        words. About 16 bytes of memory for each pair of words, 1 KB for each sentence.

        Raises:
            RecipeError: there is Chinese, and rjieba is not installed.
        """
        samples: dict[str, _Sample] = {}
        for pair in pairs:
            ordered = _ordered(pair)
            samples.setdefault(ordered.pair, _Sample(seed, sentences)).add(ordered)
        models: dict[str, _PairModel] = {}
        neighbours: dict[str, Neighbours] = {}
        for languages in sorted(samples):
            texts = samples[languages].texts()
            models[languages] = _learn(texts, languages, word_pairs)
            for side, code in enumerate(languages.split("-")):
                seen = Neighbours.seen((text[side] for text in texts), find_language(code))
                neighbours[code] = neighbours[code].joined(seen) if code in neighbours else seen
        return cls(models, neighbours)

    @property
    def pairs(self) -> tuple[str, ...]:
        """The language pairs, such as ``en-zh``: two codes in alphabetical order."""
        return tuple(self._models)

    def phrases(self, direction: Direction) -> Sequence[AlignedPhrase]:
        """The phrases of both sides that correspond for certain, in the order of the reference.

        None for a language pair that was not trained, and for sentences of more than 100 words.
        """
        last_direction, last = self._last_phrases
        if direction == last_direction:  # one maker asks after the other
            return last
        ordered = _ordered(direction)
        aligned = self._align(ordered)
        phrases: tuple[AlignedPhrase, ...] = ()
        if aligned is not None:
            first, second, alignment = aligned
            if ordered is not direction:
                first, second, alignment = second, first, alignment.turned()
            phrases = tuple(phrase_pairs(direction, first, second, alignment))
        self._last_phrases = direction, phrases
        return phrases

    def alternatives(self, direction: Direction, phrase: AlignedPhrase) -> Sequence[str]:
        """Other translations of a word that fit in the place of the one that the reference has; see :mod:`..tools`."""
        ordered = _ordered(direction)
        model = self._models.get(ordered.pair)
        if model is None:
            return ()
        found = alternatives(direction, phrase, model.dictionary(turned=ordered is not direction))
        return [words for words in found if self.fits(direction, phrase.reference, words)]

    def fits(self, direction: Direction, span: tuple[int, int], words: str) -> bool:
        """Whether the words beside this span of the reference were seen beside these words, too."""
        neighbours = self._neighbours.get(direction.target_language.code)
        return neighbours is not None and neighbours.fits(words, direction.reference, span, direction.target_language)

    def _align(self, pair: Direction) -> _Aligned | None:
        """The words of both sides and how they correspond."""
        key = (pair.source, pair.reference, pair.pair)
        last_key, last = self._last
        if key == last_key:  # one direction after the other
            return last
        aligned = self._align_anew(pair)
        self._last = key, aligned
        return aligned

    def _align_anew(self, pair: Direction) -> _Aligned | None:
        model = self._models.get(pair.pair)
        if model is None or max(len(pair.source), len(pair.reference)) > _LONGEST_TEXT:
            return None
        first, second = words(pair.source, pair.source_language), words(pair.reference, pair.target_language)
        if not 0 < len(first) <= _LONGEST_WORDS or not 0 < len(second) <= _LONGEST_WORDS:
            return None
        alignment = model.tables.align(
            _numbers(first, model.first), _numbers(second, model.second), _alike(first, second)
        )
        return first, second, alignment

    def save(self, path: Path) -> None:
        """Write the model to one file (NumPy's npz), the same bytes for the same model.

        Raises:
            OSError: it cannot be written.
        """
        arrays: dict[str, npt.NDArray[np.generic]] = {}
        for pair, model in self._models.items():
            for name in Tables.__dataclass_fields__:
                arrays[f"{pair}/{name}"] = getattr(model.tables, name)
            for name, vocabulary in (("first", model.first), ("second", model.second)):
                text = "\n".join(vocabulary).encode("utf-8", "surrogatepass")
                arrays[f"{pair}/{name}"] = np.frombuffer(text, np.uint8)
        for code, neighbours in self._neighbours.items():
            arrays[f"{code}/neighbours"] = neighbours.pairs
        with path.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # the stubs take the names for savez's own options

    @classmethod
    def load(cls, path: Path) -> AlignmentModel:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: there is no such file, or it is another kind of file.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                names = sorted({name.split("/")[0] for name in arrays.files})
                pairs = [name for name in names if "-" in name]
                neighbours = {code: Neighbours(arrays[f"{code}/neighbours"]) for code in names if code not in pairs}
                return cls({pair: _read(pair, arrays) for pair in pairs}, neighbours)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} is no word alignment that can be read; train it again. ({error})") from error


class _Sample:
    """The sentence pairs with the smallest hashes: a sample that does not depend on their order."""

    def __init__(self, seed: int, size: int) -> None:
        self._key = seed.to_bytes(8, "little", signed=True)
        self._size = size
        self._heap: list[tuple[int, str, str]] = []
        self._taken: set[int] = set()

    def add(self, pair: Direction) -> None:
        if not pair.source or not pair.reference or max(len(pair.source), len(pair.reference)) > _LEARNT_WORDS * 20:
            return
        text = f"{pair.source}\n{pair.reference}".encode("utf-8", "surrogatepass")
        rank = -int.from_bytes(hashlib.blake2b(text, digest_size=8, key=self._key).digest(), "little")
        if rank in self._taken or (len(self._heap) >= self._size and (not self._heap or rank <= self._heap[0][0])):
            return
        self._taken.add(rank)
        entry = (rank, pair.source, pair.reference)
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, entry)
        else:
            self._taken.discard(heapq.heapreplace(self._heap, entry)[0])

    def texts(self) -> list[tuple[str, str]]:
        """The chosen pairs; the sample is empty afterwards."""
        chosen = [(first, second) for _, first, second in sorted(self._heap, reverse=True)]
        self._heap, self._taken = [], set()
        return chosen


def _ordered(direction: Direction) -> Direction:
    """The pair seen from the language that comes first by code."""
    straight = direction.source_language.code <= direction.target_language.code
    return direction if straight else direction.reversed()


def _learn(texts: Sequence[tuple[str, str]], pair: str, word_pairs: int) -> _PairModel:
    languages = [find_language(code) for code in pair.split("-")]
    forms: list[tuple[list[str], list[str]]] = []
    room = word_pairs
    for first, second in texts:
        cut = [word.form for word in words(first, languages[0])], [word.form for word in words(second, languages[1])]
        if 0 < len(cut[0]) <= _LEARNT_WORDS and 0 < len(cut[1]) <= _LEARNT_WORDS:
            room -= len(cut[0]) * len(cut[1])
            if room < 0:
                break
            forms.append(cut)
    vocabularies = [_vocabulary(cut[side] for cut in forms) for side in (0, 1)]
    first_numbers, second_numbers = (
        [np.array([numbers.get(form, UNKNOWN) for form in cut[side]], np.int32) for cut in forms]
        for side, numbers in enumerate(vocabularies)
    )
    sizes = len(vocabularies[0]) + 1, len(vocabularies[1]) + 1
    forms.clear()  # memory for what comes
    return _PairModel(vocabularies[0], vocabularies[1], train(first_numbers, second_numbers, sizes))


def _vocabulary(sentences: Iterable[Sequence[str]]) -> dict[str, int]:
    counts = Counter(form for sentence in sentences for form in sentence)
    return _numbered(sorted(form for form, count in counts.items() if count >= _SEEN))


def _numbered(forms: Iterable[str]) -> dict[str, int]:
    return {form: number for number, form in enumerate(forms, start=UNKNOWN + 1)}


def _numbers(sentence: Sequence[Word], vocabulary: Mapping[str, int]) -> Ints:
    return np.array([vocabulary.get(word.form, UNKNOWN) for word in sentence], np.int32)


def _alike(first: Sequence[Word], second: Sequence[Word]) -> list[tuple[int, int]]:
    """Positions of words of the same form, if they are of some length or numbers (``a`` is a word in many tongues)."""
    shared = {word.form for word in first} & {word.form for word in second}
    shared = {form for form in shared if len(form) >= 3 or form.isdecimal()}
    if not shared:
        return []
    places = [(j, word.form) for j, word in enumerate(second) if word.form in shared]
    return [(i, j) for i, word in enumerate(first) if word.form in shared for j, form in places if form == word.form]


def _read(pair: str, arrays: Mapping[str, npt.NDArray[np.generic]]) -> _PairModel:
    keys = np.asarray(arrays[f"{pair}/keys"], np.int64)
    forward, backward, null_forward, null_backward = (
        np.asarray(arrays[f"{pair}/{name}"], np.float32)
        for name in ("forward", "backward", "null_forward", "null_backward")
    )
    tables = Tables(keys, forward, backward, null_forward, null_backward)
    texts = [arrays[f"{pair}/{name}"].tobytes().decode("utf-8", "surrogatepass") for name in ("first", "second")]
    first, second = (_numbered(text.split("\n") if text else ()) for text in texts)
    sizes = len(null_backward), len(null_forward)
    if sizes != (len(first) + 1, len(second) + 1) or not 0 < len(keys) == len(forward) == len(backward):
        raise ValueError("its parts do not fit together")
    return _PairModel(first, second, tables)
