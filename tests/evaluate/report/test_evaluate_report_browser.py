"""The page in a browser: numbers below each other, light and dark, on a phone, on paper, and nothing that runs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from bayling_lite.evaluate.published import published_scores
from bayling_lite.evaluate.report import build_report
from bayling_lite.evaluate.report.html import to_html
from tests.evaluate.report.report_results import examined, translated

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium to look at the page with"),
]

SETS = ("zh-en", "en-zh", "de-en", "en-de", "cs-en", "ja-en", "ru-en", "uk-en", "en-cs", "en-ja", "en-ru", "en-uk")
LONG = "a-system-with-a-name-that-never-ends-" * 4
RUNS = "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">"

# Where the decimal point of each number stands, by column.
POINTS = """() => [...document.querySelectorAll('table')].slice(0, 1).flatMap(table =>
    [...table.querySelectorAll('tr')].flatMap(row => [...row.querySelectorAll('td.n')].map((cell, column) => {
        const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        const text = walker.nextNode();
        const at = text.data.indexOf('.');
        if (at < 0) return null;
        const range = document.createRange();
        range.setStart(text, at); range.setEnd(text, at + 1);
        return [column, range.getBoundingClientRect().left];
    })).filter(Boolean))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = [
        translated(
            name,
            set_name,
            9.5 + 7 * place,
            said=(f"{RUNS}{place}", "x", "y"),
            qualities=(place / 9, 0.5, 0.5),
            n_items=900 if place == 1 else None,
        )
        for place, name in enumerate(("tiny", LONG, "نموذج", "模型"))
        for set_name in SETS
    ]
    results += [
        examined(name, "sat-math", [number < most for number in range(60)])
        for name, most in (("tiny", 9), ("模型", 55))
    ]
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(to_html(build_report(results, (), published_scores(), title="Title")), encoding="utf-8")
    return file


def opened(browser: Browser, path: Path, **options: object) -> tuple[Page, list[str]]:
    page = browser.new_context(**options).new_page()  # type: ignore[arg-type]
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: complaints.append(request.url) if request.url != path.as_uri() else None)
    page.goto(path.as_uri())
    return page, complaints


def test_nothing_runs_and_nothing_is_fetched(browser: Browser, path: Path) -> None:
    page, complaints = opened(browser, path)
    assert page.title() == "Title"
    assert page.get_by_text("document.title = 'run'").count() > 0
    assert complaints == []


def test_decimal_points_stand_below_each_other(browser: Browser, path: Path) -> None:
    page, _ = opened(browser, path)
    places: dict[int, list[float]] = {}
    for column, left in page.evaluate(POINTS):
        places.setdefault(column, []).append(left)
    assert len(places) == len(SETS)
    # Bold digits are a little wider.
    assert all(max(lefts) - min(lefts) < 3 for lefts in places.values())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser: Browser, path: Path, scheme: str) -> None:
    page, _ = opened(browser, path, color_scheme=scheme)
    paper = _luminance(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert (paper < 0.1) == (scheme == "dark")
    for selector in ("body", ".faint", "td.n", "svg text.m0", "svg text.m1", "svg text.m2", "svg text.p", "svg .axis"):
        colour = page.evaluate(
            "([s, name]) => getComputedStyle(document.querySelector(s))[name]",
            [selector, "fill" if selector.startswith("svg") else "color"],
        )
        assert _contrast(_luminance(colour), paper) >= 4.5, selector


def test_on_a_phone_the_page_is_as_wide_as_the_phone_and_names_stay_in_sight(browser: Browser, path: Path) -> None:
    page, _ = opened(browser, path, viewport={"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.evaluate("document.querySelector('.wide').scrollLeft = 500")
    assert page.evaluate("document.querySelector('tbody th[scope=row]').getBoundingClientRect().left") >= 0


def test_a_wide_table_can_be_scrolled_with_the_keyboard(browser: Browser, path: Path) -> None:
    page, _ = opened(browser, path, viewport={"width": 360, "height": 700})
    page.locator(".wide").first.focus()
    page.keyboard.press("ArrowRight")
    # It glides; waiting for a condition would run code in the page, which the page forbids.
    for _ in range(100):
        if page.evaluate("document.querySelector('.wide').scrollLeft") > 0:
            return
        page.wait_for_timeout(20)
    pytest.fail("the table did not move")


def test_on_paper_it_is_light_fits_and_shows_what_is_folded(browser: Browser, path: Path) -> None:
    page, _ = opened(browser, path, color_scheme="dark", viewport={"width": 688, "height": 1000})
    page.emulate_media(media="print", color_scheme="dark")
    assert _luminance(page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--paper')")) == 1
    widest = page.evaluate(
        "Math.max(...[...document.querySelectorAll('table, svg')].map(e => e.getBoundingClientRect().right))"
    )
    assert widest <= 688
    assert page.locator("details:not([open]) article").last.is_visible()
    document = page.pdf(prefer_css_page_size=True)
    assert document.startswith(b"%PDF")


def _luminance(colour: str) -> float:
    """The relative luminance of a colour, WCAG 2.2."""
    if colour.strip().startswith("#"):
        parts = [int(colour.strip()[place : place + 2], 16) for place in (1, 3, 5)]
    else:
        parts = [int(found) for found in re.findall(r"\d+", colour)[:3]]
    linear = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(first: float, second: float) -> float:
    light, dark = max(first, second), min(first, second)
    return (light + 0.05) / (dark + 0.05)
