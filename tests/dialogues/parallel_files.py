"""Files of parallel text as the tests write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bayling_finetune.dialogues.sources import ParallelSource, Skipped, open_source
from bayling_lite.languages import find_language

EN, ZH = find_language("en"), find_language("zh")
PAIRS = [("Good morning.", "早上好。"), ("I drink tea.", "我喝茶。")]


def read(*paths: Path, skipped: Skipped | None = None, **given: Any) -> list[tuple[str, str]]:
    source = ParallelSource(paths, EN, ZH, **given)
    return [(direction.source, direction.reference) for direction in open_source(source, skipped)]


def tsv(pairs: list[tuple[str, str]], end: str = "\n") -> str:
    return "".join(f"{left}\t{right}{end}" for left, right in pairs)


def tmx(*units: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>\n', version: str = "1.4") -> str:
    body = "".join(f"<tu>{unit}</tu>\n" for unit in units)
    return f'{head}<tmx version="{version}"><header srclang="en" datatype="plaintext"/><body>{body}</body></tmx>'


def unit(left: str, right: str, *, name: str = "xml:lang", codes: tuple[str, str] = ("en", "zh")) -> str:
    sides = zip(codes, (left, right), strict=True)
    return "".join(f'<tuv {name}="{code}"><seg>{text}</seg></tuv>' for code, text in sides)


def table(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path
