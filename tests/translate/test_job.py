"""Document jobs: order, reuse, what is kept, what is reported."""

from __future__ import annotations

import contextlib
import gc
import random
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import JobCancelled, UsageError
from bayling_lite.languages import find_language
from bayling_lite.messages import Conversation
from bayling_lite.translate.asking.values import Problem, ProblemKind, SegmentOutcome
from bayling_lite.translate.formats import Cut, Unit
from bayling_lite.translate.job import answers
from bayling_lite.translate.job.report import MOST_FAILURES, SegmentRecord, Tally
from bayling_lite.translate.markup import plain_text
from bayling_lite.translate.memory import TranslationMemory, Variant, write_tmx
from bayling_lite.translate.memory import Unit as MemoryUnit
from bayling_lite.translate.store import Store
from tests.translate.pretending import SMALL, Texts, asked_text, chinese, chinese_text
from tests.translate.running_jobs import NAMES, asked, job_of, sentences, text_of
from tests.translate.test_cutting import marked

ENGLISH, CHINESE, GERMAN = (find_language(code) for code in ("en", "zh", "de"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "translations.sqlite") as opened:
        yield opened


def test_units_come_back_in_order_however_long_each_takes() -> None:
    texts = sentences(100)

    def script(conversation: Conversation) -> str:
        time.sleep(0.003 * (hash(conversation) % 3))
        return chinese(conversation)

    records: list[SegmentRecord] = []
    job = job_of(texts, ScriptedEngine(script, info=SMALL), on_segment=records.append)
    assert text_of(job) == "".join(chinese_text(text) + "\n" for text in texts)
    assert [record.source for record in records] == texts
    assert [record.index for record in records] == list(range(100))
    report = job.report
    assert (report.total, report.done, job.done, report.ok, report.from_model) == (100,) * 5
    assert (report.failed, report.kept, report.retries, report.attempts) == (0, 0, 0, 100)
    assert report.seconds > 0
    assert report.segments_per_second == pytest.approx(100 / report.seconds)
    assert report.n_generated > 1000


def test_units_are_cut_into_sentences_and_put_together() -> None:
    units = [
        Unit(marked("<b1>It is</b1> late. Go <b2>home!</b2>"), place="line 1"),
        Unit(marked(" <img/> 12 ")),
        Unit(marked("")),
        Unit(marked("One. Two."), Cut.WHOLE, place="cue 2", notes="spoken"),
        Unit(marked("See <foo/>:<br/>https://a.b/c")),
    ]
    records: list[SegmentRecord] = []
    engine = ScriptedEngine(chinese, info=SMALL)
    job = job_of(units, engine, on_segment=records.append)
    late, home, one, see = (chinese_text(text) for text in ("It is", "home!", "One. Two.", "See"))
    assert text_of(job).splitlines() == [
        f"<b1>{late}</b1>{chinese_text('late.')}{chinese_text('Go')}<b2>{home}</b2>",
        " <img/> 12 ",
        "",
        one,
        f"{see}<foo/>：<br/>https://a.b/c",
    ]
    assert [(record.place, record.status) for record in records] == [
        ("line 1", "ok"),
        ("line 1", "ok"),
        ("", "kept"),
        ("cue 2", "ok"),
        ("", "ok"),
        ("", "kept"),
    ]
    assert "spoken" in next(text for text in map(last_message, engine.requests) if "One." in text)
    assert job.total == job.done == 6


def last_message(request: object) -> str:
    return request.conversation.messages[-1].content  # type: ignore[attr-defined,no-any-return]


def test_neighbours_are_given_where_the_model_has_room_for_them() -> None:
    engine = ScriptedEngine(chinese, info=ModelInfo("large", "bayling", n_ctx=4096))
    text_of(job_of(["Anna is here. Peter is not.", "12", "Maria sleeps.", "Emma runs."], engine))
    requests = {asked_text(request.conversation): last_message(request) for request in engine.requests}
    assert "Anna is here. Peter is not." in requests["Maria sleeps."]
    assert "Emma runs." in requests["Maria sleeps."]
    assert "12" not in requests["Maria sleeps."]
    assert "Maria" not in requests["Anna is here."]
    assert "Peter" in requests["Anna is here."]
    assert "Anna" not in requests["Emma runs."]


def test_the_same_segment_is_asked_for_once() -> None:
    engine = ScriptedEngine(chinese, delay=0.003, info=SMALL)
    job = job_of(["Anna is here.", "Good morning."] * 30, engine)
    assert text_of(job) == f"{chinese_text('Anna is here.')}\n{chinese_text('Good morning.')}\n" * 30
    assert sorted(asked(engine)) == ["Anna is here.", "Good morning."]
    assert (job.report.from_model, job.report.repeated, job.report.ok) == (2, 58, 60)


def test_what_is_said_again_reads_as_where_it_was_said_first(tmp_path: Path) -> None:
    lines = [text for number, name in enumerate(NAMES) for text in (f"{name} is number {number}.", "Good morning.")]
    lines += ["Good evening.", "Anna is number 0.", "Good night.", "Good evening."]

    def script(conversation: Conversation) -> str:
        # Whoever comes first in the document may be the slowest.
        time.sleep(0.002 * random.random())
        # What stands around a segment shows in its translation.
        mark = chr(0x4E00 + zlib.crc32(conversation.messages[-1].content.encode()) % 3000)
        return chinese(conversation)[:-1] + mark + "。"

    undisturbed = None
    for trial in range(10):
        with Store.open(tmp_path / f"{trial}.sqlite") as store:
            engine = ScriptedEngine(script, info=ModelInfo("large", "bayling", n_ctx=4096))
            if trial % 2:  # one that is cancelled, before one that goes on
                stopped = job_of(lines, engine, store=store)
                timer = threading.Timer(0.001 * trial, stopped.cancel)
                timer.start()
                with contextlib.suppress(JobCancelled):
                    text_of(stopped)
                timer.cancel()
            text = text_of(job_of(lines, engine, store=store))
        assert text == (undisturbed := undisturbed or text)
        prompts = {asked_text(request.conversation): last_message(request) for request in engine.requests}
        assert "not to be translated: Anna is number 0.\n" in prompts["Good morning."]
        assert "Peter" in prompts["Good morning."]
    assert undisturbed is not None
    with Store.open(tmp_path / "0.sqlite") as store:
        engine = ScriptedEngine(chinese, info=ModelInfo("large", "bayling", n_ctx=4096))
        text_of(job_of([*lines[:3], "A change.", *lines[4:]], engine, store=store))
    assert asked(engine) == ["A change."]


def test_a_repeated_segment_has_its_own_codes() -> None:
    engine = ScriptedEngine(chinese, info=SMALL)
    units = [Unit(marked(f"Go <b{pair}>home</b{pair}> now!")) for pair in (1, 2)]
    home = f"{chinese_text('Go')}<b{{0}}>{chinese_text('home')}</b{{0}}>{chinese_text('now!')}\n"
    assert text_of(job_of(units, engine)) == home.format(1) + home.format(2)
    assert len(engine.requests) == 1


def test_what_is_in_the_store_is_not_asked_for_again(store: Store) -> None:
    texts = sentences(40)
    first = text_of(job_of(texts[:30], store=store))
    engine = ScriptedEngine(chinese, info=SMALL)
    job = job_of(texts, engine, store=store)
    assert text_of(job).startswith(first)
    assert sorted(asked(engine)) == sorted(texts[30:])
    assert (job.report.from_store, job.report.from_model) == (30, 10)


def test_retranslating_replaces_what_is_in_the_store(store: Store) -> None:
    old = "".join(chr(ord(char) + 1) if ord(char) > 0x4DFF else char for char in chinese_text("Anna is here."))
    text_of(job_of(["Anna is here."], ScriptedEngine([old], info=SMALL), store=store))
    assert text_of(job_of(["Anna is here."], store=store)) == f"{old}\n"
    engine = ScriptedEngine(chinese, info=SMALL)
    job = job_of(["Anna is here."] * 20, engine, store=store, retranslate=True)
    new = f"{chinese_text('Anna is here.')}\n"
    assert text_of(job) == new * 20
    assert len(engine.requests) == 1
    assert text_of(job_of(["Anna is here."], ScriptedEngine([], info=SMALL), store=store)) == new


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[TranslationMemory]:
    path = tmp_path / "memory.tmx"
    pairs = [("Good morning.", "早安。"), ("The old house stands by the river.", "老房子坐落在河边。")]
    units = [
        MemoryUnit((Variant("en", plain_text(source)), Variant("zh", plain_text(target)))) for source, target in pairs
    ]
    path.write_text("".join(write_tmx(units)), encoding="utf-8")
    with TranslationMemory(tmp_path / "own", tmp_path / "cache") as opened:
        opened.load_tmx(path)
        yield opened


def test_the_translation_memory_comes_before_the_store_and_the_model(store: Store, memory: TranslationMemory) -> None:
    text_of(job_of(["Good morning."], store=store))
    engine = ScriptedEngine(chinese, info=SMALL)
    units = ["Good morning.", "The new house stands by the river."]
    job = job_of(units, engine, store=store, memory=memory, terms=[("morning", "早晨")])
    assert text_of(job).startswith("早安。\n")
    assert (job.report.from_memory, job.report.from_store, job.report.from_model) == (1, 0, 1)
    assert (job.report.terms_required, job.report.missing_terms) == (1, (("morning → 早晨", 1),))
    example = [message.content for message in engine.requests[0].conversation]
    assert len(example) == 3
    assert example[1] == "老房子坐落在河边。"


def test_a_document_in_the_target_language_stays_as_it_is() -> None:
    units = ["Das Haus steht am Fluss, und der Hund schläft im Garten.", "Heute ist Montag."]
    job = job_of(units, ScriptedEngine([], info=SMALL), target="de", source=None)
    assert text_of(job) == "\n".join([*units, ""])
    assert job.source == GERMAN
    assert (job.report.kept, job.report.kept_language) == (2, 2)


def test_a_document_in_a_script_of_no_language_is_in_none_of_them() -> None:
    info = ModelInfo("m", "bayling", 1024, languages=(ENGLISH, GERMAN))
    engine = ScriptedEngine(lambda _: "Hallo Welt, wie geht es dir?", info=info)
    job = job_of(["Γειά σου κόσμε, τι κάνεις;"], engine, target="de", source=None)
    assert text_of(job) == "Hallo Welt, wie geht es dir?\n"
    assert (job.source, job.report.ok, job.report.kept) == (None, 1, 0)


def test_a_long_segment_in_the_target_language_stays_as_it_is() -> None:
    quoted = "“天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。寒来暑往，秋收冬藏。闰余成岁，律吕调阳。”"
    units = ["He said the following words.", quoted, "中文"]
    engine = ScriptedEngine(lambda _: "他说了下面的话。", info=SMALL)
    job = job_of([Unit(plain_text(unit), Cut.WHOLE) for unit in units], engine)
    text_of(job)
    assert job.report.kept_language == 1
    assert quoted not in asked(engine)


def test_a_document_without_a_word_needs_no_model() -> None:
    job = job_of(["12", "https://a.b/c", ""], ScriptedEngine([], info=SMALL), source=None)
    assert text_of(job) == "12\nhttps://a.b/c\n\n"
    assert (job.source, job.report.kept, job.total) == (None, 2, 2)


def failing(conversation: Conversation) -> str:
    return "" if "Peter" in asked_text(conversation) else chinese(conversation)


def test_what_there_is_no_room_for_is_reported(store: Store) -> None:
    texts = ["Anna is here.", "Anna and Maria read the letters in the garden of the house.", "Go home."]
    units = [Unit(plain_text(text), Cut.WHOLE, place=str(number), width=16) for number, text in enumerate(texts)]
    wanted = dict(zip(texts, ["安娜现在就在这里。", "安娜和玛丽亚在花园里看信。", "回家。"], strict=True))
    engine = ScriptedEngine(lambda conversation: wanted[asked_text(conversation)], info=SMALL)
    for origin in ("model", "store"):
        records: list[SegmentRecord] = []
        job = job_of(units, engine, store=store, on_segment=records.append)
        text_of(job)
        # The second was too long before it was translated.
        assert [[str(problem) for problem in record.problems] for record in records] == [
            ["length: it takes 18 columns where there is room for 16"],
            [],
            [],
        ]
        assert [record.origin for record in records] == [origin] * 3
        assert job.report.warnings == ((ProblemKind.LENGTH, 1),)


def test_a_segment_that_fails_stays_in_the_source_and_is_reported(store: Store) -> None:
    texts = [Unit(plain_text(text), place=f"line {number}") for number, text in enumerate(sentences(14))]
    engine = ScriptedEngine(failing, info=SMALL)
    job = job_of(texts, engine, store=store)
    lines = text_of(job).splitlines()
    assert lines[1] == texts[1].source.text
    report = job.report
    assert (report.ok, report.failed, report.from_model) == (12, 2, 12)
    assert [failure.place for failure in report.failures] == ["line 1", "line 13"]
    assert report.failures[0].source == texts[1].source.text
    assert {problem.kind for problem in report.failures[0].problems} == {ProblemKind.EMPTY}
    assert report.retries == report.attempts - 14 > 0
    # It is not in the store: another job tries again, and only that.
    engine = ScriptedEngine(chinese, info=SMALL)
    job = job_of(texts, engine, store=store)
    assert text_of(job) == "".join(chinese_text(text.source.text) + "\n" for text in texts)
    assert sorted(asked(engine)) == sorted(texts[number].source.text for number in (1, 13))


def test_a_report_lists_a_bounded_number_of_failures() -> None:
    tally = Tally()
    source = plain_text("x" * 1000)
    for number in range(MOST_FAILURES + 500):
        problems = (Problem(ProblemKind.EMPTY, str(number)), Problem(ProblemKind.TERMS, f"term {number}"))
        tally.add(f"line {number}", source, SegmentOutcome(source, "failed", problems), 1, in_target=False)
    report = tally.report(ENGLISH, CHINESE, 5000, cancelled=False)
    assert (report.failed, len(report.failures), len(report.missing_terms)) == (1500, MOST_FAILURES, 1000)
    assert report.terms_missing == 1500
    assert max(len(failure.source) for failure in report.failures) == 200


def test_terms_are_required_where_they_apply() -> None:
    engine = ScriptedEngine(chinese, info=SMALL)
    job = job_of(["The token is here.", "Nobody is."], engine, terms=[("token", "词元"), ("chat", "聊天")])
    assert "词元" in text_of(job).splitlines()[0]
    assert (job.report.terms_required, job.report.terms_missing) == (1, 0)
    assert sum("词元" in last_message(request) for request in engine.requests) == 1
    engine = ScriptedEngine(lambda conversation: chinese_text(asked_text(conversation)), info=SMALL)
    job = job_of(["The token is here."], engine, terms=[("token", "词元")])
    text_of(job)
    assert (job.report.ok, job.report.terms_missing, job.report.missing_terms) == (1, 1, (("token → 词元", 1),))
    assert dict(job.report.warnings) == {ProblemKind.TERMS: 1}


def test_a_plan_asks_nothing(store: Store, memory: TranslationMemory) -> None:
    text_of(job_of(["Anna is here."], store=store))
    engine = ScriptedEngine([], info=SMALL)
    units = ["Anna is here.", "Good morning.", "Peter sleeps.", "Peter sleeps.", "12"]
    plan = job_of(units, engine, store=store, memory=memory).plan()
    assert (plan.survey.segments, plan.survey.translatable, plan.survey.source) == (5, 4, ENGLISH)
    assert plan.survey.characters == sum(map(len, units[:4]))
    assert (plan.from_memory, plan.distinct, plan.stored, plan.to_translate) == (1, 2, 1, 1)
    assert 10 < plan.prompt_tokens < 60


def test_reading_stays_a_bounded_way_ahead_of_writing() -> None:
    document = Texts(sentences(200))
    job = job_of(document)
    assert job.total == 200
    document.farthest = 0
    text_of(job)
    assert document.farthest < 100


@pytest.mark.slow
def test_memory_does_not_grow_with_the_document(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is remembered on purpose is full before the first look.
    monkeypatch.setattr(answers, "_REMEMBERED", 100)
    used: dict[int, int] = {}

    def look(record: SegmentRecord) -> None:
        if record.index in (400, 1399):
            gc.collect()
            used[record.index] = tracemalloc.get_traced_memory()[0]

    document = Texts(sentences(1400))
    job = job_of(document, ScriptedEngine(chinese, info=SMALL, record=False), store=store, on_segment=look)
    assert job.total == 1400
    tracemalloc.start()
    try:
        assert sum(1 for _ in job.run()) == 1400
    finally:
        tracemalloc.stop()
    assert used[1399] - used[400] < 100_000  # each segment, with its request, is more than a kilobyte


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "xx"}, "Unknown language"),
        ({"target": "fr"}, "does not know French"),
        ({"source": "fr"}, "does not know French"),
        ({"bilingual": True}, "cannot hold two languages"),
        ({"terms": [("a", "b"), ("a", "c")]}, "two translations"),
    ],
)
def test_what_cannot_be_is_said_at_once(options: dict[str, object], message: str) -> None:
    info = ModelInfo("m", "bayling", 1024, languages=(ENGLISH, CHINESE))
    with pytest.raises(UsageError, match=message):
        job_of(["Hello."], ScriptedEngine([], info=info), **options)
