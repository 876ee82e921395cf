"""The files of constrained translation: sets of sentences with the phrases that their translations must have, outputs.

A set is ``constraints.en-zh.zh.jsonl`` (the pair, then the target; of one's own, with a name before it:
``constraints.medical.en-zh.zh.jsonl`` is the set ``medical.en-zh``), one object a line::

    {"src": "Good morning.", "tgt": "早上好。", "constraint": ["早上"]}

Outputs of a system are ``SYSTEM/hypo.en-zh.zh.jsonl``, or ``SYSTEM/hypo.en-zh.zh.zh_prompt.jsonl`` where it was asked
in Chinese: line n of them, ``{"hypo": "早上好！"}``, belongs to line n of the set. Both as in ictnlp/BayLing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.data import DataFolder, paired, read_json_lines, read_lines
from bayling_lite.languages import Language, find_language

_NAME = r"(?P<set>(?:.+\.)?(?P<source>\w+)-(?P<target>\w+))"
_SET = re.compile(rf"constraints\.{_NAME}\.(?P=target)\.jsonl")
_OUTPUTS = re.compile(rf"hypo\.{_NAME}\.(?P=target)(?P<chinese>\.zh_prompt)?\.jsonl")
_PAPER = ("en-zh", "zh-en")
_WHERE = "https://github.com/ictnlp/BayLing (data/constrained_translation)"
_SHOWN = 60  # characters of a sentence in a message


@dataclass(frozen=True, slots=True)
class ConstrainedSentence:
    """A sentence, the translation that the phrases were cut from, and the phrases."""

    source: str
    reference: str
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConstrainedSet:
    """A whole set. ``name`` is its pair of languages, ``en-zh``, or has a name before that, ``medical.en-zh``."""

    name: str
    path: Path
    source: Language
    target: Language
    sentences: tuple[ConstrainedSentence, ...]


def find_constrained_sets(data: DataFolder) -> tuple[str, ...]:
    """The names of the sets that the data holds, those of the paper first."""
    matches = (_SET.fullmatch(path.name) for path in data.find("constraints.*.jsonl"))
    names = {match["set"] for match in matches if match}
    return tuple(sorted(names, key=lambda name: (_PAPER.index(name) if name in _PAPER else len(_PAPER), name)))


def read_constrained_set(data: DataFolder, name: str) -> ConstrainedSet:
    """Read a set.

    Raises:
        UsageError: the data has no set of this name, or its languages are unknown.
        InputError: it cannot be read, or an item is not as it should be; the message has its number.
    """
    pair = re.fullmatch(_NAME, name)
    path = data.one(f"constraints.{name}.{pair['target']}.jsonl") if pair else None
    if pair is None or path is None:
        known = ", ".join(find_constrained_sets(data))
        there = f"There are: {known}." if known else f"There are none. They can be had from {_WHERE}."
        raise UsageError(f"The data has no set {name!r} of constrained translation. {there}")
    items = read_json_lines(path)
    if not items:
        raise InputError(f"{path} is empty.")
    sentences = tuple(_sentence(item, f"{path}, item {number}") for number, item in enumerate(items, 1))
    return ConstrainedSet(name, path, find_language(pair["source"]), find_language(pair["target"]), sentences)


def find_constrained_outputs(data: DataFolder) -> tuple[tuple[Path, str, bool], ...]:
    """The files of outputs that the data holds: path, set, and whether the system was asked in Chinese."""
    found = ((path, _OUTPUTS.fullmatch(path.name)) for path in data.find("hypo.*.jsonl"))
    return tuple((path, match["set"], bool(match["chinese"])) for path, match in found if match)


def read_hypotheses(path: Path, sentences: ConstrainedSet) -> tuple[str, ...]:
    """Read the outputs for a set: JSON lines with ``hypo`` where the name ends in ``.jsonl``, else plain lines.

    ``hypo`` null is an empty output. Where a line repeats its source (``src``), it must be that of the set, white space
    aside.

    Raises:
        InputError: they do not belong to the set, or cannot be read; the message has the number of the line or item.
    """
    if path.suffix != ".jsonl":
        lines = read_lines(path)
        paired(path, len(lines), sentences.path, len(sentences.sentences))
        return tuple(lines)
    items = read_json_lines(path)
    paired(path, len(items), sentences.path, len(sentences.sentences))
    return tuple(
        _hypothesis(item, sentence, f"{path}, item {number}", sentences.path)
        for number, (item, sentence) in enumerate(zip(items, sentences.sentences, strict=True), 1)
    )


def _sentence(item: Mapping[str, Any], where: str) -> ConstrainedSentence:
    source, reference, phrases = (item.get(key) for key in ("src", "tgt", "constraint"))
    if not isinstance(source, str) or not isinstance(reference, str):
        raise InputError(f'{where}: "src" and "tgt" should be texts.')
    if not isinstance(phrases, list) or not all(isinstance(phrase, str) and phrase.strip() for phrase in phrases):
        raise InputError(f'{where}: "constraint" should be a list of phrases, none of them empty.')
    return ConstrainedSentence(source, reference, tuple(phrases))


def _hypothesis(item: Mapping[str, Any], sentence: ConstrainedSentence, where: str, set_path: Path) -> str:
    source = item.get("src", sentence.source)
    if not isinstance(source, str) or source.split() != sentence.source.split():
        raise InputError(
            f"{where} is the output for {_shown(source)}, but that of {set_path} is {_shown(sentence.source)}: "
            "the two files do not belong together, or their lines are in different orders."
        )
    said = item.get("hypo", item)
    if said is not None and not isinstance(said, str):
        raise InputError(f'{where}: "hypo" should be the output, a text.')
    return said or ""


def _shown(text: object) -> str:
    shown = json.dumps(text, ensure_ascii=False)
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"
