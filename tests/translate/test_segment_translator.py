"""Segments translated with a scripted engine and with the embedded model: asked, checked, asked again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bayling_lite.engine.base import ModelInfo, SamplingParams
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import EngineClosed, EngineError, PhrasesDoNotFit, UsageError
from bayling_lite.languages import find_language
from bayling_lite.messages import Conversation
from bayling_lite.prompts import Wording
from bayling_lite.translate.asking.segment_translator import SegmentTranslator
from bayling_lite.translate.asking.steering import Steering
from bayling_lite.translate.asking.values import ProblemKind, SegmentOutcome, SegmentRequest
from bayling_lite.translate.formats.variables import mark
from bayling_lite.translate.glossary import occurs
from bayling_lite.translate.markup import Code, Marked, MarkedBuilder, plain_text, tagged

ENGLISH, CHINESE, GERMAN = map(find_language, ("en", "zh", "de"))
INFO = ModelInfo(name="scripted", template="bayling", n_ctx=4096)
LONG = (
    "When the rain had stopped at last, the children went out into the garden. "
    "They played there until their mother called them in for dinner."
)


def request(text: str | Marked = "Good morning, my friend.", **more: object) -> SegmentRequest:
    source = plain_text(text) if isinstance(text, str) else text
    return replace(SegmentRequest(source, CHINESE, ENGLISH), **more)  # type: ignore[arg-type]


def translate(engine: ScriptedEngine, asked: SegmentRequest, **options: object) -> SegmentOutcome:
    return SegmentTranslator(engine, **options).translate(asked, threading.Event())  # type: ignore[arg-type]


def said(engine: ScriptedEngine, number: int = -1) -> str:
    """What the engine was asked, in its last turn."""
    return engine.requests[number].conversation.messages[-1].content


def link(before: str = "Click ", inside: str = "here", after: str = " to go on.") -> Marked:
    builder = MarkedBuilder()
    builder.text(before)
    builder.code(Code("open", "<a>", 1))
    builder.text(inside)
    builder.code(Code("close", "</a>", 1))
    builder.text(after)
    return builder.build()


def test_a_good_answer_is_taken_at_once() -> None:
    engine = ScriptedEngine(["“早上好，我的朋友。”\n"])
    outcome = translate(engine, request())
    assert (outcome.target.text, outcome.status, outcome.attempts, outcome.problems) == (
        "早上好，我的朋友。",
        "ok",
        1,
        (),
    )
    assert outcome.n_generated > 0
    assert said(engine) == "Provide the Chinese translation for this sentence: Good morning, my friend."


def test_what_needs_no_translation_is_kept_without_asking() -> None:
    engine = ScriptedEngine([])
    for asked in (request("12:30"), request("Guten Tag.", source_language=GERMAN, target=GERMAN)):
        outcome = translate(engine, asked)
        assert (outcome.status, outcome.target, outcome.attempts) == ("kept", asked.source, 0)


def test_the_constant_part_comes_first_and_the_papers_sentence_last() -> None:
    engine = ScriptedEngine(["早上好。"])
    asked = request(
        "Good morning.",
        notes="a greeting",
        before=("He came in.",),
        after=("She smiled.",),
        examples=(("Good evening.", "晚上好。"),),
        terms=(("morning", "早上"),),
    )
    steering = Steering("formal", "plain", "Keep names.", "A novel.")
    translate(engine, asked, steering=steering)
    first, answer, last = engine.requests[0].conversation.messages
    assert first.content == (
        "About the text: A novel.\nStyle of the translation: plain\n"
        "Write the translation in a formal tone, with the polite forms of address.\nKeep names.\n"
        "Provide the Chinese translation for this sentence: Good evening."
    )
    assert answer.content == "晚上好。"
    assert last.content == (
        "Note for the translator: a greeting\n"
        "The text before the sentence, not to be translated: He came in.\n"
        "The text after the sentence, not to be translated: She smiled.\n"
        "Provide the Chinese translation for this sentence: Good morning.\nMake sure to include these words: 早上"
    )


def test_tags_are_shown_and_restored() -> None:
    engine = ScriptedEngine(["点击＜1＞这里</ 1>继续。"])
    outcome = translate(engine, request(link()), wording=Wording.CHINESE)
    assert outcome.target.raw() == "点击<a>这里</a>继续。"
    assert said(engine).endswith("提供这句话的中文翻译：Click <1>here</1> to go on.")
    assert said(engine).startswith("保留每个标签")


def test_lost_tags_are_required_where_the_engine_can_search() -> None:
    engine = ScriptedEngine(["点击这里继续。", "点击<1>这里</1>继续。"], info=replace(INFO, can_search=True))
    outcome = translate(engine, request(link()))
    assert outcome.target.raw() == "点击<a>这里</a>继续。"
    search = engine.requests[1].search
    assert search is not None
    assert search.required == ("<1>", "</1>")


def test_lost_tags_are_put_back_by_their_words() -> None:
    answers = {
        "Click <1>here</1> to go on.": "点击这里继续。",
        "Click here to go on.": "点击这里继续。",
        "here": "这里。",
    }
    engine = ScriptedEngine(lambda conversation: answers[_text(conversation)])
    outcome = translate(engine, request(link()))
    assert outcome.target.raw() == "点击<a>这里</a>继续。"
    assert (outcome.status, outcome.attempts) == ("ok", 3)


def test_a_model_that_cannot_copy_tags_sees_none() -> None:
    answers = {"Click here to go on.": "点击这里继续。", "here": "这里"}
    engine = ScriptedEngine(lambda conversation: answers[_text(conversation)], info=replace(INFO, demonstrator=True))
    assert translate(engine, request(link())).target.raw() == "点击<a>这里</a>继续。"


def test_such_a_model_sees_a_word_for_a_variable_that_is_asked_for_again_when_it_is_gone() -> None:
    engine = ScriptedEngine(["早上好！", "早上好，Tom！"], info=replace(INFO, demonstrator=True))
    outcome = translate(engine, request(mark("Good morning, {name}!")))
    assert (outcome.target.raw(), outcome.attempts) == ("早上好，{name}！", 2)
    assert all("Good morning, Tom!" in asked.conversation.messages[-1].content for asked in engine.requests)


def test_a_demonstrator_hears_of_nothing_but_the_text() -> None:
    engine = ScriptedEngine(["早上好。"] * 2, info=replace(INFO, demonstrator=True))
    steered = SegmentTranslator(engine, steering=Steering("formal", "plain"))
    asked = request("Good morning.", notes="a greeting", examples=(("Good evening.", "晚上好。"),))
    assert steered.translate(asked, threading.Event()).target.text == "早上好。"
    assert [message.content for message in engine.requests[0].conversation] == [
        "Provide the Chinese translation for this sentence: Good morning."
    ]
    assert "too small to follow a style" in steered.note
    assert SegmentTranslator(engine).note == SegmentTranslator(ScriptedEngine(), steering=Steering("formal")).note == ""


def test_what_stands_around_is_left_out_when_it_confuses() -> None:
    engine = ScriptedEngine(["早上好。\n### Response:\n她笑了。" * 2, "", "早上好。"])
    outcome = translate(engine, request("Good morning.", before=("He came in.",)))
    assert (outcome.target.text, outcome.attempts) == ("早上好。", 1)  # the other turn is cut off by a stop string
    engine.enqueue("早上好。")
    outcome = translate(engine, request("Good morning.", before=("He came in.",)))
    assert outcome.attempts == 2
    assert "He came in." not in said(engine)


def test_a_circle_is_interrupted_and_broken_by_sampling() -> None:
    engine = ScriptedEngine(["我喜欢猫，" * 12, "我喜欢猫。"], delay=0.0)
    outcome = translate(engine, request("I like cats very much."))
    assert (outcome.target.text, outcome.status) == ("我喜欢猫。", "ok")
    sampling = engine.requests[1].sampling
    assert sampling.repeat_penalty > 1
    assert sampling.seed is not None


def test_a_long_text_is_asked_for_part_by_part() -> None:
    answers = {
        "When the rain had stopped at last, the children went out into the garden.": "雨终于停了，孩子们走进了花园。",
        "They played there until their mother called them in for dinner.": "他们在那里一直玩到妈妈叫他们吃晚饭。",
    }
    engine = ScriptedEngine(lambda conversation: answers.get(_text(conversation), "雨。"))
    outcome = translate(engine, request(LONG))
    assert outcome.status == "ok"
    assert outcome.target.text == "雨终于停了，孩子们走进了花园。他们在那里一直玩到妈妈叫他们吃晚饭。"


def test_what_fails_on_every_rung_stays_in_the_source_and_says_why() -> None:
    engine = ScriptedEngine(lambda conversation: _text(conversation))
    outcome = translate(engine, request(LONG))
    assert (outcome.status, outcome.target.text, outcome.origin) == ("failed", LONG, "source")
    assert outcome.problems[0].kind is ProblemKind.ECHO
    assert 2 <= outcome.attempts <= 12


def test_a_text_without_room_is_asked_for_in_parts_or_fails() -> None:
    small = replace(INFO, n_ctx=40)
    engine = ScriptedEngine(lambda _: "雨。" * 6, info=small)
    outcome = translate(engine, request(LONG))
    assert outcome.status == "failed"
    assert ProblemKind.CONTEXT in {problem.kind for problem in outcome.problems}
    assert "40" in str(outcome.problems[0])


def test_required_words_that_do_not_fit_are_reported() -> None:
    engine = ScriptedEngine([PhrasesDoNotFit("too long"), "我喜欢狗。"], info=replace(INFO, can_search=True))
    outcome = translate(engine, request("I like cats.", terms=(("cats", "猫咪"),)))
    assert outcome.status == "ok"
    assert outcome.missing_terms == ("cats → 猫咪",)
    assert [asked.search is not None for asked in engine.requests] == [True, False]


def test_missing_words_are_asked_for_again_where_nothing_can_require_them() -> None:
    cats = request("I like 12 cats.", terms=(("cats", "猫咪"),))
    outcome = translate(ScriptedEngine(["我喜欢12只猫。", "我喜欢12只猫咪。"]), cats)
    assert (outcome.target.text, outcome.missing_terms, outcome.attempts) == ("我喜欢12只猫咪。", (), 2)
    # What is in doubt for another reason is not given up for what lacks them.
    outcome = translate(ScriptedEngine(["我喜欢十几只猫咪 и 狗。", "我喜欢12只猫。"]), cats)
    assert outcome.target.text.startswith("我喜欢十几只猫咪")
    assert (len(outcome.problems), outcome.missing_terms) == (2, ())


def test_a_model_that_cannot_be_searched_after_all_is_sampled() -> None:
    thinks = UsageError("This model thinks first.")
    engine = ScriptedEngine(["I like cats.", thinks, "我喜欢猫。"], info=replace(INFO, can_search=True))
    outcome = translate(engine, request("I like cats."))
    assert (outcome.target.text, outcome.attempts) == ("我喜欢猫。", 3)
    assert engine.requests[2].search is None
    assert engine.requests[2].sampling.repeat_penalty > 1


def test_spaces_that_a_model_puts_inside_tags_are_dropped() -> None:
    engine = ScriptedEngine(["点击<1> 这里 </1>继续。"])
    assert translate(engine, request(link())).target.raw() == "点击<a>这里</a>继续。"


def test_errors_of_the_engine_are_raised() -> None:
    with pytest.raises(EngineError, match="broken"):
        translate(ScriptedEngine([EngineError("broken")]), request())
    engine = ScriptedEngine([])
    translator = SegmentTranslator(engine)
    engine.close()
    with pytest.raises(EngineClosed):
        translator.translate(request(), threading.Event())


def test_it_stops_soon_after_it_is_cancelled() -> None:
    engine = ScriptedEngine(lambda _: "很长的文字" * 400, delay=0.05)
    cancelled = threading.Event()
    threading.Timer(0.1, cancelled.set).start()
    started = time.monotonic()
    outcome = SegmentTranslator(engine).translate(request(LONG * 5), cancelled)
    assert time.monotonic() - started < 1.5
    assert (outcome.status, outcome.target.text) == ("cancelled", LONG * 5)
    assert SegmentTranslator(engine).translate(request(), cancelled).attempts == 0


def test_alternatives_are_distinct_and_checked() -> None:
    engine = ScriptedEngine(["早上好。", "早安。", "早上好。", "Good morning.", "你早。"])
    outcome = translate(engine, request("Good morning."), alternatives=4)
    assert [text.text for text in outcome.alternatives] == ["早安。", "你早。"]


def test_the_fingerprint_follows_what_the_translation_depends_on() -> None:
    engine = ScriptedEngine([])
    translator = SegmentTranslator(engine)
    base = request(link(), terms=(("here", "这里"),))
    others = [
        request(link(inside="there"), terms=(("here", "这里"),)),
        replace(base, terms=()),
        replace(base, target=GERMAN),
        replace(base, notes="a button"),
        replace(base, examples=(("Hello.", "你好。"),)),
    ]
    translators = [
        SegmentTranslator(engine, wording=Wording.CHINESE),
        SegmentTranslator(engine, sampling=SamplingParams(temperature=0.5)),
        SegmentTranslator(engine, alternatives=1),
        SegmentTranslator(engine, steering=Steering(style="plain")),
        SegmentTranslator(ScriptedEngine([], info=replace(INFO, name="another"))),
        SegmentTranslator(ScriptedEngine([], info=replace(INFO, fingerprint="ab"))),
    ]
    prints = [translator.fingerprint(base), *map(translator.fingerprint, others)]
    prints += [other.fingerprint(base) for other in translators]
    assert len(set(prints)) == len(prints)
    assert all(len(one) == 64 for one in prints)
    codes = tuple(replace(code, raw=code.raw.upper()) for code in base.source.codes)
    same = replace(base, source=Marked(base.source.text, codes))
    # What only stands around it does not count: a sentence that comes again is the same one.
    for other in (same, replace(base, before=("Hello.",), after=("Goodbye.",))):
        assert translator.fingerprint(other) == prints[0]


def test_neighbours_are_for_models_with_room() -> None:
    infos = {
        (2, 1): [INFO, replace(INFO, n_ctx_train=8192)],
        (0, 0): [replace(INFO, n_ctx=1024), replace(INFO, n_ctx_train=1024), replace(INFO, demonstrator=True)],
    }
    for expected, some in infos.items():
        assert {SegmentTranslator(ScriptedEngine([], info=info)).neighbours for info in some} == {expected}


def test_what_cannot_be_is_refused() -> None:
    engine = ScriptedEngine([])
    for beam_size, alternatives in ((0, 0), (4, 0), (1, -1)):
        with pytest.raises(UsageError):
            SegmentTranslator(engine, beam_size=beam_size, alternatives=alternatives)
    with pytest.raises(UsageError, match="formal or informal"):
        Steering("casual")  # type: ignore[arg-type]


def _text(conversation: Conversation) -> str:
    """The text that a conversation asks to translate."""
    return conversation.messages[-1].content.partition("sentence: ")[2].partition("\nMake sure")[0]


@pytest.fixture(scope="module")
def tiny() -> Iterator[SegmentTranslator]:
    folder = Path(__file__).parents[2] / "models" / "bayling-tiny"
    with LlamaEngine.open(next(folder.glob("*.gguf"))) as engine:
        yield SegmentTranslator(engine, alternatives=2)


def test_the_embedded_model_keeps_codes_and_terms(tiny: SegmentTranslator) -> None:
    asked = request(link("I like ", "small dogs", " and white cats."), terms=(("cats", "猫咪"),))
    first, again = (tiny.translate(asked, threading.Event()) for _ in range(2))
    assert first == again
    assert first.status == "ok"
    assert occurs("猫咪", first.target.text)
    assert first.alternatives
    for text in (first.target, *first.alternatives):
        assert sorted(text.used) == sorted(asked.source.used)
        assert [tag for tag in tagged(text).text if tag == "<"] == ["<", "<"]


def test_many_threads_translate_at_once(tiny: SegmentTranslator) -> None:
    sentences = [f"I have {number} cats and a dog." for number in range(20, 28)]
    alone = [tiny.translate(request(text), threading.Event()) for text in sentences[:2]]
    together: dict[str, SegmentOutcome] = {}

    def work(text: str) -> None:
        together[text] = tiny.translate(request(text), threading.Event())

    threads = [threading.Thread(target=work, args=(text,)) for text in sentences]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(together) == set(sentences)
    assert {outcome.status for outcome in together.values()} <= {"ok", "failed"}
    assert {outcome.status for outcome in alone} <= {"ok", "failed"}
