"""The ranking page in a real browser: two people rank by mouse and keys, go on elsewhere, change their minds."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from bayling_lite.evaluate.ranking import Aspect, Standing
from bayling_lite.evaluate.ranking.serving import RankingServer
from bayling_lite.evaluate.ranking.store import StudyStore
from bayling_lite.evaluate.ranking.summary import summarize
from tests.evaluate.ranking.ranking_studies import new_store, served

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium to look at the page with"),
]

# What a person prefers is written into the texts: people rank by the digits in them.
ASKED = [["Translate: rain.", "Shorter."], ["Translate: snow.", "Shorter."], ["Translate: hail.", "Shorter."]]
SYSTEMS = {
    "SecretGood": [["good 1 <script>document.title = 'run'</script>", "short 1"], ["same 1", "s"], ["ممتاز 1", "a"]],
    "SecretTwin": [["fair 2\n\nwith a break", "short 2"], ["same 1", "s"], ["جيد 2", "b"]],
    "SecretPoor": [["poor 3 " + "x" * 900, ""], ["other 2", "t"], ["سيئ 3", "c"]],
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StudyStore]:
    with new_store(tmp_path, ASKED, SYSTEMS) as opened:
        yield opened


@pytest.fixture
def server(store: StudyStore) -> Iterator[RankingServer]:
    with served(store) as running:
        yield running


class Watch:
    """What a context's pages complain of, and all that the server sends them."""

    def __init__(self, context: BrowserContext) -> None:
        self.complaints: list[str] = []
        self.sent: list[str] = []
        context.on("console", lambda message: self.complaints.append(message.text))
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("response", lambda answer: self.sent.append(f"{answer.url} {answer.headers}"))
        context.set_default_timeout(10_000)


def digit_of(page: Page, card: int) -> int:
    """What the person thinks of the output of a card, from 0."""
    found = re.search(r"\d", page.locator(".card").nth(card).locator(".text.said").first.inner_text())
    assert found is not None
    return int(found[0])


def kept(page: Page) -> None:
    expect(page.locator("#status")).to_have_text("Kept")


def ready(page: Page) -> str:
    """Wait until the page can be used; the number of its item."""
    expect(page.locator(".rank.current")).to_be_visible()
    return str(page.locator("#item").get_attribute("data-number"))


def rank_by_keys(page: Page) -> None:
    """All aspects, then on to the next item."""
    number, n_cards = ready(page), page.locator(".card").count()
    for _ in Aspect:
        for card in range(n_cards):
            page.keyboard.press(str(digit_of(page, card)))
    page.keyboard.press("Enter")
    expect(page.locator(f'#item[data-number="{number}"]')).to_have_count(0)


def rank_by_mouse(page: Page) -> None:
    """All aspects the other way round, then on to the next item."""
    number, n_cards = ready(page), page.locator(".card").count()
    for card in range(n_cards):
        place = n_cards + 1 - digit_of(page, card)
        for button in page.locator(".card").nth(card).locator(f'button[data-place="{place}"]').all():
            button.click()
    page.locator("#next").click()
    expect(page.locator(f'#item[data-number="{number}"]')).to_have_count(0)


def standings(store: StudyStore, aspect: Aspect) -> dict[str, Standing]:
    summary = next(each for each in summarize(store) if each.aspect is aspect)
    return {standing.system: standing for standing in summary.standings}


def test_two_people_rank_by_keys_and_mouse_and_the_results_are_right(
    browser: Browser, server: RankingServer, store: StudyStore
) -> None:
    anna, bo = browser.new_context(color_scheme="light"), browser.new_context(color_scheme="dark")
    watches = [Watch(anna), Watch(bo)]
    first, second = anna.new_page(), bo.new_page()

    first.goto(server.address)
    expect(first.locator("#person")).to_be_focused()
    first.keyboard.type("Anna")
    first.keyboard.press("Enter")
    rank_by_keys(first)

    second.goto(f"{server.address}?person=Bo")
    rank_by_mouse(second)

    # In the middle of an item: reload, and then go on in another browser.
    ready(first)
    first.keyboard.press("1")
    kept(first)
    first.reload()
    ready(first)
    assert first.locator('button[aria-checked="true"]').count() == 1
    expect(first.locator(".rank.current")).to_have_attribute("data-letter", "B")
    first.keyboard.press("Backspace")
    kept(first)
    assert first.locator('button[aria-checked="true"]').count() == 0
    contents = [first.content(), second.content()]
    first.close()
    elsewhere = browser.new_context()
    watches.append(Watch(elsewhere))
    first = elsewhere.new_page()
    first.goto(server.address)
    first.fill("#person", "anna")
    first.get_by_role("button", name="Begin").click()
    expect(first.locator(".counts")).to_have_text("1 of 3 done")
    rank_by_keys(first)
    rank_by_keys(first)
    expect(first.get_by_role("heading", name="All done. Thank you!")).to_be_visible()

    rank_by_mouse(second)
    rank_by_mouse(second)
    expect(second.locator(".states .ranked")).to_have_count(3)

    for aspect in Aspect:
        found = standings(store, aspect)
        # Anna: Good is first in all three, in one of them together with Twin. Bo sees it the other way round.
        assert found["SecretGood"].first == pytest.approx(100 * (1 + 1 + 1 / 2) / 6)
        assert found["SecretTwin"].first == pytest.approx(100 * (1 / 2) / 6)
        assert found["SecretPoor"].first == pytest.approx(100 * 3 / 6)
    assert {summary.n_rankings for summary in summarize(store)} == {6}

    contents += [first.content(), second.content()]
    everything = " ".join([*contents, *(line for watch in watches for line in watch.sent)]).casefold()
    for secret in ("secret", "file-of", "study"):
        assert secret not in everything
    assert [watch.complaints for watch in watches] == [[], [], []]
    assert first.title() != "run"
    for context in (anna, bo, elsewhere):
        context.close()


def test_a_vote_is_changed_an_item_skipped_and_nothing_left_out_unseen(
    browser: Browser, server: RankingServer, store: StudyStore
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    watch = Watch(context)
    page = context.new_page()
    page.goto(f"{server.address}?person=Cy")
    for number in (1, 2, 3):
        page.goto(f"{server.address}item/{number}?person=Cy")
        assert page.evaluate("document.documentElement.scrollWidth") == 390, "nothing is wider than a phone"
        if page.locator(".card").count() == 3 and "ممتاز" in page.content():
            arabic = page.locator(".card .said", has_text="ممتاز")
            assert arabic.evaluate("element => getComputedStyle(element).direction") == "rtl"
        if "with a break" in page.content():
            assert "fair 2\n\nwith" in page.locator(".said", has_text="with a break").inner_text()

    # Enter on what is unfinished says what is missing, and stays.
    page.goto(f"{server.address}item/1?person=Cy")
    ready(page)
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("Places that are missing")
    page.keyboard.press("s")
    page.get_by_label("Another reason", exact=True).nth(1).fill("the <b>source</b> is cut")
    page.keyboard.press("Enter")
    expect(page.locator('#item[data-number="2"]')).to_be_visible()
    assert store.ballots("Cy")[0].skipped
    rank_by_keys(page)
    for _ in range(2):
        shown = ready(page)
        page.keyboard.press("p")
        expect(page.locator(f'#item[data-number="{shown}"]')).to_have_count(0)
    expect(page.locator("#status")).to_have_text("Skipped: the <b>source</b> is cut")
    summaries = {summary.aspect: summary for summary in summarize(store)}
    assert summaries[Aspect.INTERACTION].reasons == (("the <b>source</b> is cut", 1),)

    expect(page.get_by_text("1 is best; equal numbers are a tie.")).to_be_visible()

    # Ranked after all, and then ranked otherwise.
    rank_by_keys(page)
    assert summarize(store)[0].reasons == ()
    page.goto(f"{server.address}item/1?person=Cy")
    before = store.ballot("Cy", 0)
    page.locator(".rank").first.locator("button").last.click()
    kept(page)
    after = store.ballot("Cy", 0)
    assert before is not None
    assert after is not None
    assert before.ranks != after.ranks
    assert watch.complaints == []
    context.close()


def test_what_cannot_be_sent_is_sent_when_the_server_is_back(
    browser: Browser, server: RankingServer, store: StudyStore
) -> None:
    context = browser.new_context()
    Watch(context)
    page = context.new_page()
    page.goto(f"{server.address}?person=Di")
    ready(page)
    context.set_offline(True)
    page.keyboard.press("1")
    expect(page.locator("#status")).to_contain_text("Not kept yet")
    page.keyboard.press("2")
    assert store.ballots() == []
    context.set_offline(False)
    kept(page)
    (ballot,) = store.ballots()
    assert set(ballot.ranks[Aspect.TRANSLATION].values()) == {1, 2}
    context.close()


def test_two_windows_of_one_person_do_not_overwrite_each_other(
    browser: Browser, server: RankingServer, store: StudyStore
) -> None:
    context = browser.new_context()
    Watch(context)
    one, two = context.new_page(), context.new_page()
    for page in (one, two):
        page.goto(f"{server.address}?person=Ed")
        ready(page)
    one.keyboard.press("1")
    kept(one)
    two.keyboard.press("2")
    expect(two.locator("#status")).to_contain_text("changed in another window")
    two.reload()
    ready(two)
    two.keyboard.press("2")
    kept(two)
    (ballot,) = store.ballots()
    assert set(ballot.ranks[Aspect.TRANSLATION].values()) == {1, 2}
    context.close()


def test_what_is_typed_too_soon_does_not_change_the_item_that_is_left(
    browser: Browser, server: RankingServer, store: StudyStore
) -> None:
    context = browser.new_context()
    Watch(context)
    page = context.new_page()
    page.goto(f"{server.address}?person=Fay")
    ready(page)
    n_cards = page.locator(".card").count()
    for _ in range(len(Aspect) * n_cards):
        page.keyboard.press("1")
    kept(page)
    page.evaluate(
        """for (const key of ["Enter", "2", "ArrowLeft", "2"]) {
             document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
           }"""
    )
    expect(page.locator('#item[data-number="2"]')).to_be_visible()
    (ballot,) = store.ballots()
    assert set(ballot.ranks[Aspect.INTERACTION].values()) == {1}
    context.close()


def test_keys_reach_every_place_and_the_space_bar_gives_none_unasked(
    browser: Browser, server: RankingServer, store: StudyStore
) -> None:
    context = browser.new_context()
    Watch(context)
    page = context.new_page()
    page.goto(f"{server.address}?person=Gil")
    ready(page)
    page.keyboard.press("2")
    kept(page)
    page.keyboard.press("Space")
    assert page.locator('button[aria-checked="true"]').count() == 1, "it scrolls"

    # From group to group with Tab, within one with the arrows: the second place of the second output.
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(page.locator(".card").nth(1).locator(".rank").first.locator("button").nth(1)).to_be_checked()
    # A digit is for the group that Tab has gone to.
    page.locator("#next").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("1")
    expect(page.locator(".card").last.locator(".rank").last.locator("button").first).to_be_checked()
    kept(page)
    context.close()


def test_a_page_of_another_study_is_not_taken_for_one_of_this(
    browser: Browser, store: StudyStore, tmp_path: Path
) -> None:
    context = browser.new_context()
    page = context.new_page()
    with served(store) as server:
        page.goto(f"{server.address}?person=Hu")
        ready(page)
        port = int(server.address.rstrip("/").rpartition(":")[2])
    other = tmp_path / "other"
    other.mkdir()
    with new_store(other, ASKED, SYSTEMS) as second, served(second, port=port):
        page.keyboard.press("1")
        expect(page.locator("#status")).to_contain_text("This does not fit the item. Reload the page.")
        assert second.ballots() == []
    context.close()
