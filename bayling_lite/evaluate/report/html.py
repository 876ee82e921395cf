"""The page: one HTML file that needs nothing else, light or dark as the reader's system is, and fit to be printed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib import resources

from bayling_lite.evaluate.report import html_sections as sections
from bayling_lite.evaluate.report.drawing import draw
from bayling_lite.evaluate.report.html_tables import listing_html, table_html
from bayling_lite.evaluate.report.layouts import in_order, layout_of
from bayling_lite.evaluate.report.listings import comparison_listing, problem_listing
from bayling_lite.evaluate.report.marks import MARKS
from bayling_lite.evaluate.report.markup import html
from bayling_lite.evaluate.report.values import Figure, Kind, Report
from bayling_lite.evaluate.report.words import COMPARED, about, examples_about


def to_html(report: Report) -> str:
    """A report as a page. It holds no script, and says that a browser shall run none."""
    style = resources.files("bayling_lite.evaluate.report").joinpath("page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    parts = list(_sections(report))
    links = "".join(f'<li><a href="#{name}">{html(title)}</a></li>' for name, title, _ in parts)
    body = "".join(f'<h2 id="{name}">{html(title)}</h2>{content}\n' for name, title, content in parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{MARKS['.html']}"
        f"<title>{html(report.title)}</title><style>{style}</style></head>\n<body>\n"
        f'<header><h1>{html(report.title)}</h1><p class="faint">{html(about(report))}</p>'
        f'<nav aria-label="Contents"><ul>{links}</ul></nav></header>\n<main>\n{body}</main></body></html>\n'
    )


def _sections(report: Report) -> Iterator[tuple[str, str, str]]:
    """Name, title and content of each section that has something to say."""
    table_numbers = {table.id: number for number, table in enumerate(report.tables, 1)}
    figure_numbers = {figure.id: number for number, figure in enumerate(report.figures, 1)}
    for family in in_order([table.family for table in report.tables]):
        tables = [table_html(one, table_numbers[one.id]) for one in report.tables if one.family == family]
        figures = [_figure(one, figure_numbers[one.id]) for one in report.figures if one.family == family]
        drawn = f'<div class="figures">{"".join(figures)}</div>' if figures else ""
        yield f"family-{html(family)}", layout_of(family).title, "".join(tables) + drawn
    if report.rankings:
        yield "rankings", "Ranking by people", sections.rankings(report.rankings)
    if report.comparisons:
        yield (
            "significance",
            "Significance",
            f"<p>{html(COMPARED)}</p>{listing_html(comparison_listing(report.comparisons))}",
        )
    if report.runs:
        yield "runs", "How it was run, and how fast", sections.runs(report)
    if report.problems:
        yield "problems", "Problems and incomplete sets", listing_html(problem_listing(report.problems))
    if report.signatures or report.rankings:
        yield "signatures", "Signatures", sections.signatures(report)
    if report.sources:
        yield (
            "sources",
            "Published figures",
            "<ul>" + "".join(f"<li>{html(one)}</li>" for one in report.sources) + "</ul>",
        )
    if report.examples:
        yield "examples", "Examples", f"<p>{html(examples_about(report))}</p>{sections.examples(report.examples)}"


def _figure(figure: Figure, number: int) -> str:
    wide = "" if figure.kind is Kind.RADAR else ' tabindex="0" role="region" aria-label="figure"'
    return (
        f'<figure class="{figure.kind}"><div class="wide"{wide}>{draw(figure)}</div>'
        f"<figcaption><b>Figure {number}.</b> {html(figure.caption)}</figcaption></figure>"
    )
