"""The report: all results of a folder as one value, which a page, a Markdown file and a JSON file are written from.

::

    results, rankings, published figures ──► build_report (building.py) ──► Report (values.py)
                                                                               │
                                              html.py, markdown.py, as_json.py ◄──┘

A report says what a reader needs to trust its numbers: which are published and which were measured here, on how many
items, how they were computed and decoded, which outputs have problems, and which differences are more than chance.
"""

from __future__ import annotations

from bayling_lite.evaluate.report.building import build_report
from bayling_lite.evaluate.report.values import Report

__all__ = ["Report", "build_report"]
