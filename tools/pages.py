"""Pictures of what ``bayling evaluate`` shows in a browser, for the documentation: a report, and the ranking page.

usage: python -m tools.pages RESULTS [FOLDER]

The report is that of the results folder RESULTS, from its top to the end of its first table. For the ranking page, the
sentences of examples/evaluation.en are translated by the embedded model twice, with a search and greedily, and ranked
by keys until one comes that shows the page well. Every picture is taken once light and once dark. Needs Chromium, a
font with Chinese characters, and the packages of ``pip install ".[test]"``.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "screenshots"
SOURCE, REFERENCE = ROOT / "examples" / "evaluation.en", ROOT / "examples" / "evaluation.zh"

# The sentence that is on the ranking page when its picture is taken, and the place that the output A has there.
SHOWN, PLACE = "My teacher told us an interesting story.", "2"

# Both are shown at half their size in the documents, so that they are crisp on any screen.
_SCALE = 2
_REPORT_WIDTH, _RANKING_SIZE = 1180, (900, 500)
_MARGIN = 12
# A page has few colours, and shades of them where letters end.
_COLOURS = 32
# Seen where a picture stands on a ground of its own colour.
_FRAMES = {"light": "#d5d9df", "dark": "#363b42"}

_BAYLING = (sys.executable, "-c", "from bayling_lite.cli import main; main()")
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def main() -> int:
    """Make the pictures and say where they are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("results", type=Path)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    named = parser.parse_args()
    program = next(filter(None, map(shutil.which, _CHROMIUMS)), None)
    if program is None:
        print("Error: there is no Chromium to take the pictures with.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        work = Path(name)
        _say(take_report(browser, named.results.resolve(), work, named.folder))
        _say(take_ranking(browser, work, named.folder))
        browser.close()
    return 0


def take_report(browser: Browser, results: Path, work: Path, folder: Path) -> Iterator[Path]:
    """The report of a results folder, as far as its first table goes."""
    page_file = work / "report.html"
    _bayling(work, "report", "--out", str(results), "-o", str(page_file))
    for scheme, frame in _FRAMES.items():
        page = _page(browser, scheme, _REPORT_WIDTH, 1000)
        page.goto(page_file.as_uri())
        end = page.locator(".notes").first.bounding_box()
        if end is None:
            raise SystemExit(f"{results} holds no results that make a table.")
        clip = {"x": 0, "y": 0, "width": _REPORT_WIDTH, "height": end["y"] + end["height"] + _MARGIN}
        taken = page.screenshot(full_page=True, clip=clip)  # type: ignore[arg-type]
        yield _save(taken, frame, folder / f"evaluation-report-{scheme}.png")


def take_ranking(browser: Browser, work: Path, folder: Path) -> Iterator[Path]:
    """The ranking page, where A has its place and B is waiting for its own."""
    files = ("--source", str(SOURCE), "--reference", str(REFERENCE), "--from", "en", "--to", "zh", "--exact", "-q")
    _bayling(work, "translation", *files, "--name", "search")
    _bayling(work, "translation", *files, "--name", "greedy", "--greedy")
    with _served(work, "study", "--set", "translation/evaluation.en-zh", "--seed", "1") as address:
        item = _ranked_until_shown(_page(browser, "light", *_RANKING_SIZE), address)
        for scheme, frame in _FRAMES.items():
            page = _page(browser, scheme, *_RANKING_SIZE)
            page.goto(item)
            expect(page.locator(".rank.current")).to_be_visible()
            yield _save(page.screenshot(), frame, folder / f"evaluation-ranking-{scheme}.png")


def _ranked_until_shown(page: Page, address: str) -> str:
    """Rank by keys, as a person does, until the sentence of the picture comes; the address of its item."""
    page.goto(f"{address}?person=Anna")
    while True:
        expect(page.locator(".rank.current")).to_be_visible()
        number = page.locator("#item").get_attribute("data-number")
        shown = SHOWN in page.locator(".asked").inner_text()
        for place in PLACE if shown else range(1, page.locator(".card").count() + 1):
            page.keyboard.press(str(place))
        expect(page.locator("#status")).to_have_text("Kept")
        if shown:
            return page.url
        page.keyboard.press("Enter")
        expect(page.locator(f'#item[data-number="{number}"]')).to_have_count(0)


def _page(browser: Browser, scheme: str, width: int, height: int) -> Page:
    dark = scheme == "dark"
    return browser.new_page(
        color_scheme="dark" if dark else "light",
        viewport={"width": width, "height": height},
        device_scale_factor=_SCALE,
        locale="en-GB",
    )


def _save(screenshot: bytes, frame: str, path: Path) -> Path:
    """Write a PNG, small, with a frame of a colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    ImageDraw.Draw(picture).rectangle((0, 0, picture.width - 1, picture.height - 1), outline=frame, width=_SCALE)
    picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


def _bayling(work: Path, *arguments: str) -> None:
    subprocess.run(
        [*_BAYLING, "evaluate", *arguments], cwd=work, env=_environment(work), check=True, stdout=subprocess.DEVNULL
    )


@contextmanager
def _served(work: Path, *arguments: str) -> Iterator[str]:
    """``bayling evaluate rank`` while its page is used; the address of it."""
    command = [*_BAYLING, "evaluate", "rank", "--quiet", *arguments]
    with subprocess.Popen(command, cwd=work, env=_environment(work), stdout=subprocess.PIPE, text=True) as process:
        try:
            yield str(process.stdout and process.stdout.readline()).strip()
        finally:
            process.send_signal(signal.SIGINT)


def _environment(work: Path) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, "BAYLING_HOME": str(work / "home"), "PYTHONPATH": path}


def _say(paths: Iterator[Path]) -> None:
    for path in paths:
        print(f"{path}  {path.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    sys.exit(main())
