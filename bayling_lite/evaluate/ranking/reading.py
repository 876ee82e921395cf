"""Where the outputs come from that people rank: the results folder, or one file for each system."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.data import paired, read_json_lines, read_lines
from bayling_lite.evaluate.ranking.values import Aspect, Dialogue, Input, Item
from bayling_lite.evaluate.results import ResultsFolder, decode
from bayling_lite.evaluate.values import Output, SetResult
from bayling_lite.reasons import reason

_MOST_SYSTEMS = 26  # a letter for each


@dataclass(frozen=True, slots=True)
class Outputs:
    """The outputs of several systems on one set, of which a study is made. ``aspects`` are those that suit it."""

    systems: tuple[str, ...]
    items: tuple[Item, ...]
    inputs: tuple[Input, ...]
    aspects: tuple[Aspect, ...]
    family: str = ""
    set_name: str = ""


def from_results(out: Path, family: str, set_name: str, systems: Sequence[str] = ()) -> Outputs:
    """Outputs in a results folder, of all systems that were measured on a set, or of those named.

    Only items that all of them have are taken: a system may have been measured on the first ones alone.

    Raises:
        InputError: the folder is not there, a result is damaged, or results do not belong together.
        UsageError: fewer than two systems, or one that was not measured on the set.
    """
    folder, by_system = ResultsFolder(out), dict[str, SetResult]()
    for result in folder.read_set(family, set_name):
        by_system.setdefault(result.system, result)
    if not by_system:
        sets = ", ".join("/".join(one) for one in folder.sets()) or "none"
        raise UsageError(f"{out} has no results on {family}/{set_name}. Sets with results: {sets}.")
    for name in systems:
        if name not in by_system:
            known = ", ".join(by_system)
            raise UsageError(f"{out} has no result of {name} on {family}/{set_name}. Systems with one: {known}.")
    names = _checked(tuple(systems) or tuple(by_system), f"{out} has results on {family}/{set_name} of")
    results = [by_system[name] for name in names]
    paths = [folder.file_of(result) for result in results]
    items = _matched([{output.id: output for output in result.outputs} for result in results], paths)
    inputs = [
        Input(result.system, str(path.absolute()), _digest_of(result))
        for result, path in zip(results, paths, strict=True)
    ]
    return Outputs(names, items, tuple(inputs), _ASPECTS.get(family, tuple(Aspect)), family, set_name)


_ASPECTS = {
    "wmt22": (Aspect.TRANSLATION,),
    "translation": (Aspect.TRANSLATION,),
    "constrained": (Aspect.TRANSLATION, Aspect.INSTRUCTIONS),
    "refinement": (Aspect.TRANSLATION, Aspect.INSTRUCTIONS, Aspect.INTERACTION),
    "bayling80": (Aspect.INSTRUCTIONS, Aspect.INTERACTION),
    "exams": (Aspect.INSTRUCTIONS,),
}
"""What a family is ranked by; of another, by all that its items allow."""


def from_files(files: Mapping[str, Path], *, source: Path | None = None, reference: Path | None = None) -> Outputs:
    """Outputs in files, one for each system: line n of each belongs to line n of the others and of ``source``.

    A file has plain lines, or with the ending ``.jsonl`` JSON objects: ``said`` (a text, or a list with one for each
    turn), and where there is no ``source``, ``asked`` in the same form; ``id`` and ``phrases`` if there are any.

    Raises:
        InputError: a file cannot be read, is not what was expected, or has another number of lines, or other ids.
        UsageError: fewer than two systems, or nothing says what was asked.
    """
    systems = _checked(tuple(files), "Files were named of")
    asked = None if source is None else [_asked(record, source) for record in _records(source, "asked")]
    references = None if reference is None else [_first(record, "said") for record in _records(reference, "said")]
    first = source or files[systems[0]]
    columns: list[list[Output]] = []
    for system, path in files.items():
        records = _records(path, "said")
        expected = len(asked) if asked is not None else len(columns[0]) if columns else len(records)
        paired(path, len(records), first, expected)
        columns.append([_output(n, record, path, asked) for n, record in enumerate(records)])
        if not records:
            raise InputError(f"{path} is empty: there is nothing to rank of {system}.")
    items = list(_matched([_by_line(column) for column in columns], list(files.values())))
    if reference is not None and references is not None:
        paired(reference, len(references), first, len(items))
        items = [Item(item.id, item.outputs, item.phrases, text) for item, text in zip(items, references, strict=True)]
    inputs = [Input(system, str(path.absolute()), _digest(path)) for system, path in files.items()]
    inputs += [Input("", str(path.absolute()), _digest(path)) for path in (source, reference) if path is not None]
    several = any(item.several_turns for item in items)
    aspects = tuple(Aspect) if several else (Aspect.TRANSLATION,)
    return Outputs(systems, tuple(items), tuple(inputs), aspects)


def _by_line(column: Sequence[Output]) -> dict[str, Output]:
    return {str(number): output for number, output in enumerate(column, 1)}


def changed_inputs(inputs: Iterable[Input], *, results: bool) -> tuple[Path, ...]:
    """The files that say something else than when the study was made. One that is gone says nothing."""
    there = [(Path(each.path), each.digest) for each in inputs if Path(each.path).exists()]
    return tuple(path for path, digest in there if not _still(path, digest, results=results))


def _still(path: Path, digest: str, *, results: bool) -> bool:
    """Whether a file is what it was; one that cannot be read any more is not."""
    try:
        return digest == (_digest_of(decode(path)) if results else _digest(path))
    except InputError:
        return False


def _checked(names: tuple[str, ...], found: str) -> tuple[str, ...]:
    if len(names) < 2:
        raise UsageError(f"{found} {', '.join(names) or 'no system'}: to rank, two systems are needed.")
    if len(names) > _MOST_SYSTEMS:
        raise UsageError(f"{len(names)} systems are too many for people to rank: name {_MOST_SYSTEMS} at most.")
    if len(set(names)) < len(names):
        raise UsageError("A system was named twice. Name each once.")
    return names


def _matched(columns: Sequence[Mapping[str, Output]], paths: Sequence[Path]) -> tuple[Item, ...]:
    """The items that are in all columns, which are by id or by line, in the order of the first."""
    items = []
    for key, first in columns[0].items():
        outputs = [column[key] for column in columns if key in column]
        if len(outputs) < len(columns):
            continue
        ids = {output.id: path for output, path in zip(outputs, paths, strict=True) if output.id}
        if len(ids) > 1:
            said = " and ".join(f"{path} has {id_}" for id_, path in ids.items())
            raise InputError(f"{said} as item {key}: they are of other sets, or in another order.")
        for output, path in zip(outputs, paths, strict=True):
            if output.asked[:1] != first.asked[:1]:
                raise InputError(
                    f"{path} was asked something else than {paths[0]} in item {key}: they are of other sets."
                )
        phrases = tuple(str(phrase) for phrase in first.details.get("phrases", ()))
        dialogues = tuple(_dialogue(output, path) for output, path in zip(outputs, paths, strict=True))
        items.append(Item(next(iter(ids), key), dialogues, phrases, first.reference))
    if not items:
        raise InputError(f"{' and '.join(map(str, paths))} have no item in common: they are of other sets.")
    return tuple(items)


def _dialogue(output: Output, path: Path) -> Dialogue:
    missing = len(output.asked) - len(output.said)
    if missing < 0:
        raise InputError(f"{path}, item {output.id}: there are more answers than questions.")
    return Dialogue(output.asked, (*output.said, *("",) * missing))


def _records(path: Path, key: str) -> list[dict[str, Any]]:
    if path.suffix.casefold() == ".jsonl":
        return read_json_lines(path)
    return [{key: line} for line in read_lines(path)]


def _output(number: int, record: Mapping[str, Any], path: Path, asked: Sequence[tuple[str, ...]] | None) -> Output:
    where = f"{path}, item {number + 1}"
    said = _texts(record, "said", where)
    if asked is not None and number < len(asked):
        question = asked[number]
    elif "asked" in record:
        question = _texts(record, "asked", where)
    else:
        raise UsageError(f"{where}: nothing says what was asked. --source names the file with the sources.")
    phrases = record.get("phrases", [])
    if not isinstance(phrases, list):
        raise InputError(f'{where}: "phrases" must be a list.')
    return Output(str(record.get("id", "")), question, said, details={"phrases": phrases})


def _asked(record: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    return _texts(record, "asked", str(path))


def _first(record: Mapping[str, Any], key: str) -> str:
    return str(record.get(key, ""))


def _texts(record: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = record.get(key)
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise InputError(f'{where}: "{key}" must be a text, or a list of texts, one for each turn.')
    return tuple(texts)


def _digest(path: Path) -> str:
    try:
        return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {reason(error)}.") from error


def _digest_of(result: SetResult) -> str:
    """Of what people see alone: measured again, the same outputs have another date and took other times."""
    seen = [(output.id, output.asked, output.said) for output in result.outputs]
    return hashlib.blake2b(json.dumps(seen).encode(), digest_size=16).hexdigest()
