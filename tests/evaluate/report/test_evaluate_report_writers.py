"""The written forms of a report: nothing of a model's text is markup in any of them, and nothing is left out."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from bayling_lite.evaluate.bayling80.questions import SETS
from bayling_lite.evaluate.published import Published, published_scores
from bayling_lite.evaluate.report import Report, build_report
from bayling_lite.evaluate.report.as_json import to_json
from bayling_lite.evaluate.report.drawing import draw
from bayling_lite.evaluate.report.html import to_html
from bayling_lite.evaluate.report.markdown import to_markdown
from bayling_lite.evaluate.report.markup import cells, shortened
from bayling_lite.evaluate.report.values import Figure, Kind, Origin, Series
from tests.evaluate.report.report_results import compared, translated

HOSTILE = "<script>alert('x')</script> </style> \"&amp; | ``` \x1b[2J \u202egnp.exe \ud800 <!-- "
NAMES = ("plain", HOSTILE, "模型·百聆二代", "نموذج الترجمة", "a name without any end " * 12)


def hostile_report() -> Report:
    results = [
        translated(
            name,
            set_name,
            20.0 + place,
            said=(f"{HOSTILE}{place}", f"مرحبا {place}", "早安\n第二行"),
            qualities=(place / 9, place / 12, 0.5),
            problems=("empty",),
        )
        for place, name in enumerate(NAMES)
        for set_name in ("zh-en", "en-zh", "de-en", "en-de")
    ]
    results += [compared("ours", HOSTILE, name, [(9, 6)], ["generic"]) for name in SETS]
    return build_report(results, (), published_scores(), title=HOSTILE)


class Page(HTMLParser):
    """Reads a page: its tags, their attributes, and its text."""

    VOID = frozenset({"meta", "br", "link", "img", "wbr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_well_formed_and_has_no_script_whatever_a_model_says() -> None:
    text = to_html(hostile_report())
    text.encode("utf-8")
    page = Page(text)
    assert page.open == []
    assert {tag for tag, _ in page.tags} & {"script", "iframe", "object", "link", "img", "form"} == set()
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\ud800-\udfff]", text)
    # It is shown all the same.
    assert "<script>alert('x')</script>" in page.text


def test_the_page_needs_nothing_else_and_forbids_everything_else() -> None:
    page = Page(to_html(hostile_report()))
    addresses = [value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href")]
    assert all(value is not None and value.startswith("#") for value in addresses)
    policy = next(attributes["content"] for _, attributes in page.tags if attributes.get("http-equiv"))
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "url(" not in to_html(hostile_report())


def test_the_links_of_the_page_lead_somewhere() -> None:
    page = Page(to_html(hostile_report()))
    names = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(set(names)) == len(names)
    assert {attributes["href"] for tag, attributes in page.tags if tag == "a"} <= {f"#{name}" for name in names}


def test_the_same_results_are_the_same_bytes() -> None:
    first, second = hostile_report(), hostile_report()
    assert (to_html(first), to_markdown(first), to_json(first)) == (
        to_html(second),
        to_markdown(second),
        to_json(second),
    )


def test_every_form_has_every_number() -> None:
    report = build_report([translated("a", bleu=12.345), translated("b", bleu=7.0)], (), published_scores())
    for text in (to_html(report), to_markdown(report)):
        assert all(number in text for number in ("12.35", "7.00", "20.31", "15.0", "beam 5", "tok:13a"))
    value = json.loads(to_json(report))
    assert [row["cells"][0]["value"] for row in value["tables"][0]["rows"]][-2:] == [12.345, 7.0]


def test_the_json_says_what_it_is_and_keeps_texts_whole() -> None:
    long = "word " * 5000
    report = build_report([translated("a", said=(long, "", ""))], (), Published())
    value = json.loads(to_json(report))
    assert (value["format"], value["version"]) == ("bayling-evaluation-report", 1)
    assert set(value) >= {
        *("title", "program", "systems", "tables", "figures", "rankings", "comparisons", "examples", "runs"),
        *("signatures", "problems", "sources"),
    }
    assert value["runs"][0]["tokens_per_second"] == 15.0
    assert long in [said["said"][0] for example in value["examples"] for said in example["said"]]
    # A page has no room for it, and says so.
    assert "more characters" in to_html(report)
    assert len(to_html(report)) < 60_000


def test_the_markdown_reads_well_as_it_is() -> None:
    text = to_markdown(hostile_report())
    lines = text.split("\n")
    table = [line for line in lines if line.startswith("| ")][:6]
    assert len({cells(line) for line in table}) == 1
    # Outside of the blocks there is nothing that a reader's program would take for a tag.
    outside = re.sub(r"^(`{3,})text\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "<script>" not in outside.replace("\\<script\\>", "")
    assert "````text" in text


@pytest.mark.parametrize(("count", "colours"), [(1, 1), (10, 8)])
def test_systems_differ_in_a_figure_by_more_than_their_colour(count: int, colours: int) -> None:
    series = tuple(Series(f"s{number}", Origin.MEASURED, (1.0 + number, 2.0, 3.0, 4.0)) for number in range(count))
    text = draw(Figure("f", "wmt22", Kind.LINES, "c", ("a", "b", "c", "d"), series, "BLEU"))
    marks = set(re.findall(r'<(circle|polygon) [^>]*class="mark (m\d(?: again)?)"', text))
    assert len({colour.split()[0] for _, colour in marks}) == colours
    assert len(marks) == count
    assert all(f">s{number}</text>" in text for number in range(count))


def test_names_beside_lines_never_stand_on_each_other() -> None:
    series = tuple(Series(f"s{number}", Origin.MEASURED, (50.0, 0.0, 0.0, 0.0)) for number in range(12))
    text = draw(Figure("f", "wmt22", Kind.LINES, "c", ("a", "b", "c", "d"), series, "BLEU"))
    heights = sorted(float(found) for found in re.findall(r'y="([\d.]+)" class="label', text))
    assert len(heights) == 12
    assert all(below - above >= 14.9 for above, below in pairwise(heights))
    assert heights[0] > 0


def test_a_figure_of_nothing_and_of_zeros_is_drawn() -> None:
    for values in ((None,) * 4, (0.0,) * 4):
        for kind in Kind:
            Page(
                draw(
                    Figure("f", "wmt22", kind, "c", ("a", "b", "c", "d"), (Series("s", Origin.MEASURED, values),), "x")
                )
            )


@pytest.mark.parametrize("width", [6, 11, 26])
def test_long_names_keep_both_ends(width: int) -> None:
    for name in ("model-of-a-long-name-q4_k_m", "模型的名字非常非常非常长第二版"):
        short = shortened(name, width)
        assert cells(short) <= width
        assert short[0] == name[0]
        assert short[-1] == name[-1]
    assert shortened("short", width) == "short"
