"""The results folder: one JSON file for each system and set, whole or not there at all.

``FOLDER/SYSTEM/FAMILY/SET.json``, of a comparison ``SET.vs.OTHER.json``. A file holds everything about its result, with
one output a line, so that the report needs nothing else, and two files can be compared line by line.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from bayling_lite.errors import InputError, OutputError, UsageError
from bayling_lite.evaluate.values import Effort, Output, Run, Score, SetResult
from bayling_lite.reasons import reason
from bayling_lite.whole_file import replace_whole

FORMAT = "bayling-evaluation"
VERSION = 1
_LONGEST = 100
_Made = TypeVar("_Made", SetResult, Output, Score, Run, Effort)
# Windows opens these instead of a file, whatever follows the dot.
_DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in range(10))}


class ResultsFolder:
    """Results of any number of systems. Nothing is made before something is written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def file_of(self, result: SetResult) -> Path:
        """Where a result is kept."""
        end = f".vs.{file_name(result.against)}" if result.against else ""
        folder = self.path / file_name(result.system) / result.family
        return folder / f"{file_name(result.set_name)}{end}.json"

    def write(self, result: SetResult) -> Path:
        """Keep a result, in the place of an older one of the same system and set. Gives its file.

        Raises:
            OutputError: it cannot be written; an older one is still there.
        """
        path = self.file_of(result)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_whole(path, encode(result))
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {reason(error)}.") from error
        return path

    def read_one(self, like: SetResult) -> SetResult:
        """The result that is kept in the place of another one.

        Raises:
            InputError: there is none, or it is damaged.
        """
        return decode(self.file_of(like))

    def read(self) -> tuple[SetResult, ...]:
        """All results, by system, family and set.

        Raises:
            InputError: the folder is not there, or a result in it is damaged; the message names the file.
        """
        return tuple(map(decode, self._files()))

    def read_set(self, family: str, set_name: str) -> tuple[SetResult, ...]:
        """The results on one set, by system; no other file is read. Errors as in :meth:`read`."""
        start = f"{file_name(set_name)}."
        files = (path for path in self._files() if path.parent.name == family and path.name.startswith(start))
        return tuple(result for result in map(decode, files) if result.set_name == set_name)

    def sets(self) -> tuple[tuple[str, str], ...]:
        """The families and sets of which there are results, in order. Files that are damaged are passed over.

        Raises:
            InputError: the folder is not there.
        """
        alike: dict[tuple[str, str], list[Path]] = {}
        for path in self._files():
            alike.setdefault((path.parent.name, path.stem.partition(".vs.")[0]), []).append(path)
        return tuple(sorted(filter(None, map(_set_of, alike.values()))))

    def _files(self) -> list[Path]:
        if not self.path.is_dir():
            raise InputError(f"There is no results folder {self.path}. --out names the one that was measured into.")
        return sorted(path for path in self.path.glob("*/*/*.json") if not path.name.startswith("."))


def _set_of(paths: Sequence[Path]) -> tuple[str, str] | None:
    """The family and the set of results on the same one, by the first of them that can be read."""
    for path in paths:
        with contextlib.suppress(InputError):
            result = decode(path)
            return result.family, result.set_name
    return None


def systems_of(results: Sequence[SetResult], named: Iterable[str]) -> list[str]:
    """The systems that there are results of, each once.

    Raises:
        UsageError: one that is named is not among them.
    """
    there = list(dict.fromkeys(result.system for result in results))
    for name in named:
        if name not in there:
            raise UsageError(f"There are no results of {name!r}. There are some of: {'; '.join(there) or 'none'}.")
    return there


def file_name(name: str) -> str:
    """A name as a file's name that every system takes; names that differ have files that differ.

    Where the file system does not tell capitals, names that differ in nothing else do not differ.
    """
    plain = re.sub(r"[^\w.\-]+", "_", name).strip(".").replace(".vs.", "_vs_")
    # Two of them and what stands around them have to fit into the 255 bytes of a name.
    plain = plain.encode()[:_LONGEST].decode(errors="ignore") or "_"
    if plain == name and plain.partition(".")[0].upper() not in _DEVICES:
        return plain
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{plain}-{digest}"


def encode(result: SetResult) -> bytes:
    """A result as JSON: its head, and then one output a line."""
    head = {"format": FORMAT, "version": VERSION, **_plain(result)}
    outputs = head.pop("outputs")
    lines = ",\n".join(f"  {_json(output)}" for output in outputs)
    opened = json.dumps(head, ensure_ascii=False, indent=1)[:-2]
    # Lone surrogates, which a model's broken output may hold, have no UTF-8.
    text = f'{opened},\n "outputs": [\n{lines}\n ]\n}}\n'
    return text.encode("utf-8", "replace")


def decode(path: Path) -> SetResult:
    """Read a result.

    Raises:
        InputError: the file cannot be read, or is none.
    """
    try:
        value = json.loads(path.read_bytes())
        if value["format"] != FORMAT:
            raise ValueError(f"its format is {value['format']!r}")
        if value["version"] <= VERSION:
            return _result(value)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {reason(error)}.") from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{path} is no result of an evaluation that this version reads ({error}). Remove it and measure again."
        ) from error
    raise InputError(f"{path} was written by a newer bayling-lite, in a form that this one does not know. Update it.")


def _plain(result: SetResult) -> dict[str, Any]:
    outputs = [{**asdict(output), "details": dict(output.details)} for output in result.outputs]
    head = {name: getattr(result, name) for name in ("system", "family", "set_name", "against", "n_items")}
    judging = {"judging": asdict(result.judging)} if result.judging else {}
    return {
        **head,
        "scores": [asdict(score) for score in result.scores],
        "run": asdict(result.run),
        **judging,
        "outputs": outputs,
    }


def _result(value: Mapping[str, Any]) -> SetResult:
    judging = value.get("judging")
    result = SetResult(
        system=value["system"],
        family=value["family"],
        set_name=value["set_name"],
        against=value["against"],
        n_items=value["n_items"],
        scores=tuple(_score(score) for score in value["scores"]),
        run=_run(value["run"]),
        judging=_run(judging) if judging else None,
        outputs=tuple(
            _checked(Output(**{**output, "asked": _texts(output["asked"]), "said": _texts(output["said"])}))
            for output in value["outputs"]
        ),
    )
    if len(result.outputs) > _checked(result).n_items:
        raise ValueError(f"{len(result.outputs)} outputs of {result.n_items} items")
    return result


def _run(value: Mapping[str, Any]) -> Run:
    effort = value["effort"]
    return _checked(Run(**{**value, "effort": _checked(Effort(**effort)) if effort else None}))


def _score(value: Mapping[str, Any]) -> Score:
    return _checked(Score(**value))


def _checked(made: _Made) -> _Made:
    """The same, if all is of the types that it says, and every number is a finite one."""
    for name, types in _TYPES[type(made)].items():
        value = getattr(made, name)
        if not isinstance(value, types) or (isinstance(value, float) and not math.isfinite(value)):
            raise TypeError(f"{name} is {value!r:.40}")
    return made


def _types(kind: type) -> dict[str, tuple[type, ...]]:
    """By the fields of a value's class, what may stand in them."""
    found = {}
    for name, hint in get_type_hints(kind).items():
        types = [get_origin(one) or one for one in (get_args(hint) if isinstance(hint, UnionType) else (hint,))]
        found[name] = (*types, int) if float in types else tuple(types)
    return found


_TYPES: Mapping[type, dict[str, tuple[type, ...]]] = {
    kind: _types(kind) for kind in (SetResult, Output, Score, Run, Effort)
}


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise TypeError(f"{value!r:.40} is no list of texts")
    return tuple(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
