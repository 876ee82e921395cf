"""The sentences of test sets, from files and folders of any format that parallel text may have, or from sacreBLEU."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from bayling_finetune.dialogues.sources.decoding import check_file, lines
from bayling_finetune.dialogues.sources.values import Skipped
from bayling_lite.errors import InputError, UsageError
from bayling_lite.languages import LANGUAGES

_TABLES = (".tsv", ".tab")
# What is read in a folder; a file that is named is read whatever its name, as text with one sentence a line.
_READ = {".txt", ".src", ".ref", ".tmx", ".parquet", ".pq", ".jsonl", *_TABLES}
_READ |= {f".{language.code}" for language in LANGUAGES}
_SACREBLEU = re.compile(r"([\w./-]+)/([a-z]{2,3}-[a-z]{2,3})")


def sentences(name: str, encoding: str | None = None) -> Iterator[str]:
    """All sentences of a test set: of a file, of all files of a folder, or of one that sacreBLEU has fetched before
    (``wmt22/en-zh``). Nothing is ever downloaded.

    Raises:
        InputError: a file cannot be read, or sacreBLEU has not fetched the set yet; the message says how to.
        UsageError: there is neither such a file nor such a set.
    """
    path = Path(name)
    if path.is_dir():
        files = [file for file in sorted(path.rglob("*")) if file.is_file() and _kind(file) in _READ]
        if not files:
            raise InputError(f"The folder {path} holds no file of sentences ({', '.join(sorted(_READ))}).")
        return chain.from_iterable(_of_file(file, encoding) for file in files)
    if path.exists():
        check_file(path)
        return _of_file(path, encoding)
    if match := _SACREBLEU.fullmatch(name):
        return chain.from_iterable(_of_file(file, None) for file in _cached(match[1], match[2]))
    raise UsageError(f"There is no file, folder or sacreBLEU test set {name}; a set is named like wmt22/en-zh.")


def _kind(path: Path) -> str:
    return Path(path.name.casefold().removesuffix(".gz")).suffix


def _of_file(path: Path, encoding: str | None) -> Iterator[str]:
    kind = _kind(path)
    if kind in (".parquet", ".pq"):
        from bayling_finetune.dialogues.sources.parquet import rows

        for row in rows(path, lambda columns: columns):
            yield from (text for text in row if text)
    elif kind == ".tmx":
        from bayling_finetune.dialogues.sources.tmx import units

        for unit in units(path, encoding, Skipped()):
            yield from (text for _, text in unit)
    else:
        for number, line in enumerate(lines(path, encoding), start=1):
            if line is None or not line.strip():
                continue
            if kind in _TABLES:
                yield from line.split("\t")
            elif kind == ".jsonl":
                yield from _strings(_parse(path, number, line))
            else:
                yield line


def _parse(path: Path, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}, line {number}: this is not JSON ({error}).") from error


def _strings(value: Any) -> Iterator[str]:
    """All texts in a JSON value, names of fields apart."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, (list, dict)):
            waiting.extend(item.values() if isinstance(item, dict) else item)


def _cached(name: str, langpair: str) -> list[Path]:
    """The source and the references of a set in sacreBLEU's cache, whose own functions would go to the network."""
    try:
        from sacrebleu.dataset import DATASETS
        from sacrebleu.utils import SACREBLEU_DIR
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{name}/{langpair} is no file here, and for the test sets of sacreBLEU that package is missing: "
            "pip install 'bayling-lite[evaluate]'."
        ) from error
    if name not in DATASETS or langpair not in DATASETS[name].langpairs:
        raise UsageError(f"{name}/{langpair} is neither a file here nor a test set that sacreBLEU knows.")
    stem = f"{name.replace('/', '_')}.{langpair}."
    files = sorted(
        path
        for path in (Path(SACREBLEU_DIR) / name).glob(f"{stem}*")
        if path.name.removeprefix(stem).startswith(("src", "ref"))
    )
    if not files:
        raise InputError(
            f"sacreBLEU has not fetched {name}/{langpair} on this machine. With a connection, fetch it with: "
            f"sacrebleu -t {name} -l {langpair} --echo src"
        )
    return files
