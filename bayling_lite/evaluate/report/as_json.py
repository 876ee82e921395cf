"""The report as JSON, for programs.

The object has ``format`` (``bayling-evaluation-report``) and ``version`` (1, raised when a key changes its meaning or
goes; keys may come), and then the fields of :class:`~bayling_lite.evaluate.report.values.Report` by their names, all
the way down: ``tables[].columns[]``, ``tables[].rows[].cells[]`` (``value`` unrounded, null for none), ``figures[]``,
``rankings[]``, ``comparisons[]`` (all of them), ``examples[]`` (texts in full), ``runs[]``, ``signatures[]``,
``problems[]``, ``sources[]``. In ``runs[]`` there is also ``tokens_per_second``.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from bayling_lite.evaluate.report.marks import JSON_FORMAT
from bayling_lite.evaluate.report.values import Report

VERSION = 1


def to_json(report: Report) -> str:
    """A report as JSON text; the same report is the same text."""
    value = {"format": JSON_FORMAT, "version": VERSION, **asdict(report)}
    for line, run in zip(value["runs"], report.runs, strict=True):
        line["tokens_per_second"] = run.tokens_per_second
    text = json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False)
    # Lone surrogates, which a model's broken output may hold, have no UTF-8.
    return text.encode("utf-8", "replace").decode("utf-8") + "\n"
