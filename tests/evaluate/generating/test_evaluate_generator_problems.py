"""The generator where something goes wrong: with one script, with the engine, or with all of it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bayling_lite.engine.base import Completion
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import EngineClosed, EngineError, OutputError, PhrasesDoNotFit, RequestRefused
from bayling_lite.evaluate.generating import AnswerStore, Generator
from bayling_lite.evaluate.values import Answer, Decoding, FixedScript, Turn
from bayling_lite.messages import Conversation
from tests.evaluate.generating.scripts import SMALL, Told, echo, engine_of, no_threads_left

GREEDY = Decoding(max_tokens=100)


def test_a_turn_that_does_not_fit_the_context_leaves_the_rest_unasked_and_the_others_alone() -> None:
    long = FixedScript("long", ("short", "word " * 600, "short again"))
    with AnswerStore(None) as store, engine_of(lambda conversation: "well said") as engine:
        answered = Generator(engine, store).answer([long, FixedScript("fine", ("short",))], GREEDY)
        assert answered.answers == (Answer(("well said", "", ""), "context"), Answer(("well said",)))
        assert not any("again" in request.conversation.messages[-1].content for request in engine.requests)
        # It is no answer: a larger context gives one.
        with engine_of(lambda conversation: "well said", replace(SMALL, n_ctx=4096)) as larger:
            again = Generator(larger, store).answer([long], GREEDY)
    assert again.answers == (Answer(("well said",) * 3),)
    assert (again.effort.n_asked, again.effort.n_reused) == (2, 1)


def test_what_the_context_cut_off_counts_for_this_context_alone() -> None:
    script, decoding = FixedScript("one", ("say much",)), Decoding(max_tokens=1000)

    def said(n_ctx: int, store: AnswerStore) -> tuple[Answer, int]:
        with engine_of(lambda conversation: "word " * 200, replace(SMALL, n_ctx=n_ctx)) as engine:
            answered = Generator(engine, store).answer([script], decoding)
        return answered.answers[0], answered.effort.n_reused

    with AnswerStore(None) as store:
        short, _ = said(100, store)
        assert short.problem == "length"
        assert said(100, store) == (short, 1)
        longer, reused = said(150, store)
        assert (longer.problem, reused) == ("length", 0)
        assert len(longer.texts[0]) > len(short.texts[0])
        whole, reused = said(512, store)
        assert (whole.problem, reused) == ("", 0)
        # A whole answer is that of every context which it fits.
        assert said(400, store) == (whole, 1)


@pytest.mark.parametrize(
    ("responses", "expected"),
    [
        ([PhrasesDoNotFit("too many")], Answer(("", ""), "impossible")),
        ([RequestRefused("It was refused.", "content_filter")], Answer(("", ""), "refused")),
        (["fine", RequestRefused("It was refused.")], Answer(("fine", ""), "refused")),
        (["word " * 101, "fine"], Answer((("word " * 100)[:-1], "fine"), "length")),
        ([" \n", "fine"], Answer((" \n", "fine"), "empty")),
        (["", "word " * 101], Answer(("", ("word " * 100)[:-1]), "length")),
        (["fine", "fine"], Answer(("fine", "fine"))),
        (["\ud800 broken", "\x1b[2J"], Answer(("\ud800 broken", "\x1b[2J"))),
    ],
)
def test_problems_of_one_script(responses: list[str | BaseException], expected: Answer) -> None:
    def say(conversation: Conversation) -> str:
        response = responses[("first", "second").index(conversation.messages[-1].content)]
        if isinstance(response, BaseException):
            raise response
        return response

    script = FixedScript("one", ("first", "second"))
    with AnswerStore(None) as store:
        for _ in range(2):
            with engine_of(say) as engine:
                assert Generator(engine, store).answer([script], GREEDY).answers == (expected,)
        assert store.count() == sum(isinstance(response, str) for response in responses)


def test_what_was_refused_is_asked_again_the_next_time() -> None:
    script = FixedScript("one", ("first",))
    with AnswerStore(None) as store:
        with ScriptedEngine([RequestRefused("Not now.")], info=SMALL) as engine:
            Generator(engine, store).answer([script], GREEDY)
        with ScriptedEngine(["now"], info=SMALL) as engine:
            assert Generator(engine, store).answer([script], GREEDY).answers == (Answer(("now",)),)


def test_a_server_that_takes_nothing_is_no_problem_of_the_items() -> None:
    refusing = True

    def say(conversation: Conversation) -> str:
        if refusing:
            raise RequestRefused("The server knows no max_tokens.", "max_tokens")
        return "fine"

    scripts = [FixedScript(f"{n}", (f"question {n}",)) for n in range(50)]
    with AnswerStore(None) as store, engine_of(say) as engine, no_threads_left():
        generator = Generator(engine, store)
        # A few may be refused by chance.
        assert {answer.problem for answer in generator.answer(scripts[:7], GREEDY).answers} == {"refused"}
        with pytest.raises(RequestRefused, match=r"None of the first 8 requests.*no max_tokens") as raised:
            generator.answer(scripts, GREEDY)
        assert raised.value.reason == "max_tokens"
        assert len(engine.requests) < 7 + 8 + 4
        refusing = False
        assert generator.answer(scripts[:1], GREEDY).answers == (Answer(("fine",)),)
        refusing = True
        # Of one that is known to take requests, any number of refusals is believed.
        assert [answer.problem for answer in generator.answer(scripts[1:], GREEDY).answers] == ["refused"] * 49


def test_an_error_ends_all_at_once_and_keeps_what_was_finished() -> None:
    scripts = [FixedScript(f"{n}", (f"question {n}",)) for n in range(40)]
    told = Told()

    def fail_at_10(conversation: Conversation) -> str:
        asked = conversation.messages[-1].content
        if asked == "question 10":
            raise EngineError("The server has gone.")
        return "slowly " * 300 if asked == "question 9" else "said"

    with AnswerStore(None) as store, engine_of(fail_at_10, delay=0.03) as engine:
        started = time.perf_counter()
        with no_threads_left(), pytest.raises(EngineError, match="The server has gone"):
            Generator(engine, store, progress=told).answer(scripts, Decoding(max_tokens=400))
        assert time.perf_counter() - started < 3  # question 9 alone would have taken 9 seconds
        kept, asked = store.count(), len(engine.requests)
        assert 6 <= kept < asked < 20
        assert told.events[-1] == "end"
        with engine_of(lambda conversation: "said") as mended:
            answered = Generator(mended, store).answer(scripts, Decoding(max_tokens=400))
            assert answered.answers == (Answer(("said",)),) * 40
            assert len(mended.requests) == 40 - kept


def test_what_a_script_raises_is_raised() -> None:
    @dataclass(frozen=True)
    class Broken:
        id: str

        def next(self, answers: tuple[str, ...]) -> Turn | None:
            raise LookupError(self.id)

    with engine_of(echo) as engine, no_threads_left(), pytest.raises(LookupError, match="this one"):
        Generator(engine).answer([Broken("this one")], GREEDY)


def test_an_interrupt_stops_what_is_under_way() -> None:
    def interrupt(count: int) -> None:
        if count == 5:
            raise KeyboardInterrupt

    scripts = [FixedScript(f"{n}", (f"question {n}",)) for n in range(30)]
    with AnswerStore(None) as store, engine_of(echo, delay=0.001) as engine:
        with no_threads_left(), pytest.raises(KeyboardInterrupt):
            Generator(engine, store, progress=Told(interrupt)).answer(scripts, GREEDY)
        kept = store.count()
        assert 5 <= kept <= len(engine.requests) < 20
        answered = Generator(engine, store).answer(scripts, GREEDY)
    assert [answer.texts[0] for answer in answered.answers] == [f"<question {n}>" for n in range(30)]
    assert (answered.effort.n_reused, answered.effort.n_asked) == (kept, 30 - kept)


def test_an_engine_that_is_closed_meanwhile() -> None:
    scripts = [FixedScript(f"{n}", (f"question {n}",)) for n in range(30)]
    engine = engine_of(echo, delay=0.02)
    threading.Timer(0.05, engine.close).start()
    with no_threads_left(), pytest.raises(EngineClosed, match="closed"):
        Generator(engine).answer(scripts, GREEDY)


def test_a_full_disk_stops_all_and_keeps_what_was_kept(tmp_path: Path) -> None:
    scripts = [FixedScript(f"{n}", (f"question {n} " + "word " * 100,)) for n in range(60)]
    with AnswerStore(tmp_path / "answers.sqlite") as store, engine_of(echo) as engine:
        connection = store._database.connection
        assert connection is not None
        # What a full disk does to SQLite: the file cannot have more pages.
        connection.execute("PRAGMA max_page_count = 8")
        with no_threads_left(), pytest.raises(OutputError, match=r"disk is full.*run the command again"):
            Generator(engine, store).answer(scripts, Decoding(max_tokens=200))
        kept = store.count()
        assert 0 < kept < 60
        connection.execute("PRAGMA max_page_count = 10000")
        answered = Generator(engine, store).answer(scripts, Decoding(max_tokens=200))
    assert (answered.effort.n_reused, answered.effort.n_asked) == (kept, 60 - kept)
    assert all(answer.texts[0].startswith(f"<question {n} ") for n, answer in enumerate(answered.answers))


def test_a_completion_that_somebody_else_cancelled_is_no_answer() -> None:
    with AnswerStore(None) as store:
        cancelled = Completion("half of", "cancelled", 5, 0, 2, 0.0, 0.0)
        with ScriptedEngine([cancelled], info=SMALL) as engine, pytest.raises(EngineClosed):
            Generator(engine, store).answer([FixedScript("one", ("say",))], GREEDY)
        assert store.count() == 0


@dataclass(frozen=True)
class Required:
    """One turn whose answer has to hold a phrase."""

    id: str
    phrase: str

    def next(self, answers: tuple[str, ...]) -> Turn | None:
        """The one turn."""
        text = "Provide the Chinese translation for this sentence: The cat sleeps."
        return None if answers else Turn(text, (self.phrase,))


def test_the_embedded_model_searches_with_required_phrases(tiny_model: Path) -> None:
    scripts = [Required("fits", "小猫"), Required("does not fit", "小猫" * 30), Required("fits too", "睡觉")]
    with LlamaEngine.open(tiny_model, n_threads=1) as engine:
        answered = Generator(engine).answer(scripts, Decoding(max_tokens=30, beam_size=3))
    assert [answer.problem for answer in answered.answers] == ["", "impossible", ""]
    assert "小猫" in answered.answers[0].texts[0]
    assert "睡觉" in answered.answers[2].texts[0]
    assert answered.run.decoding == "beam 3, required phrases guaranteed by the search"
    assert answered.run.fingerprint
    assert answered.effort.n_asked == 2


def test_interrupted_with_a_real_model_the_answers_are_the_same(random_model: Path, tmp_path: Path) -> None:
    def interrupt(count: int) -> None:
        if count == 7:
            raise KeyboardInterrupt

    scripts = [FixedScript(f"{n}", ("good day " * (n % 5 + 1), "go on")) for n in range(16)]
    decoding = Decoding(max_tokens=12, temperature=0.7)
    with LlamaEngine.open(random_model, n_threads=1, n_ctx=512, kv_type="f32") as engine:
        undisturbed = Generator(engine).answer(scripts, decoding)
        with AnswerStore(tmp_path / "answers.sqlite") as store, no_threads_left():
            with pytest.raises(KeyboardInterrupt):
                Generator(engine, store, progress=Told(interrupt)).answer(scripts, decoding)
            kept = store.count()
        with AnswerStore(tmp_path / "answers.sqlite") as store:
            resumed = Generator(engine, store).answer(scripts, decoding)
    assert resumed.answers == undisturbed.answers
    assert 14 <= kept == resumed.effort.n_reused < 32
