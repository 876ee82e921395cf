"""The Translator on a scripted engine: what is asked, what comes back, and when it goes wrong."""

from __future__ import annotations

import asyncio
import threading

import pytest

from bayling_lite.engine.base import Generation, GenerationRequest, ModelInfo
from bayling_lite.engine.generation import StreamedGeneration
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import ContextOverflow, EngineError, UsageError
from bayling_lite.languages import find_language
from bayling_lite.messages import Conversation
from bayling_lite.prompts import Wording, translation_instruction, user_turn
from bayling_lite.translate import Translator

CHINESE, GERMAN, ENGLISH, FRENCH = (find_language(code) for code in ("zh", "de", "en", "fr"))
LETTER = "Dear Anna,\n\nGood morning. How are you?\n\n* 123\n* Thank you!\n\nBest wishes\n"
WORDS = {
    "Dear Anna,": "亲爱的安娜，",
    "Good morning.": "早上好。",
    "How are you?": "你好吗？",
    "Thank you!": "谢谢！",
    "Best wishes": "祝好",
}


def asked_text(conversation: Conversation) -> str:
    """The text that a request for a translation is about."""
    return conversation.messages[0].content.partition(": ")[2].partition("\nMake sure")[0]


def dictionary(conversation: Conversation) -> str:
    return WORDS[asked_text(conversation)]


def instructions(engine: ScriptedEngine) -> list[str]:
    return [request.conversation.messages[-1].content for request in engine.requests]


def test_a_letter_is_translated_sentence_by_sentence() -> None:
    engine = ScriptedEngine(dictionary)
    translation = Translator(engine).translate(LETTER, "zh")
    assert translation.text == "亲爱的安娜，\n\n早上好。你好吗？\n\n* 123\n* 谢谢！\n\n祝好\n"
    assert (translation.source, translation.target) == (ENGLISH, CHINESE)
    assert [segment.status for segment in translation.segments] == ["ok", "ok", "ok", "kept", "ok", "ok"]
    assert (translation.failed, translation.truncated) == (0, 0)
    assert sorted(instructions(engine)) == sorted(translation_instruction(text, CHINESE) for text in WORDS)


def test_what_is_streamed_is_the_result() -> None:
    stream = Translator(ScriptedEngine(dictionary)).stream(LETTER, "Chinese", "en")
    assert (stream.done, stream.total) == (0, 6)
    pieces = list(stream)
    assert len(pieces) > 10
    assert "".join(pieces) == stream.result().text
    assert stream.done == 6
    assert stream.result() is stream.result()


def test_the_asynchronous_twins_give_the_same() -> None:
    async def run() -> tuple[str, str, str]:
        translator = Translator(ScriptedEngine(dictionary))
        stream = translator.astream(LETTER, "zh")
        pieces = [piece async for piece in stream]
        whole = await translator.atranslate("Good morning.", "zh", "en")
        translator.engine = ScriptedEngine(["早安。"])
        return "".join(pieces), (await stream.aresult()).text, (await whole.arefine('Use "早安".')).text

    streamed, result, refined = asyncio.run(run())
    assert streamed == result == Translator(ScriptedEngine(dictionary)).translate(LETTER, "zh").text
    assert refined == "早安。"


def test_sync_result_after_async_reading_does_not_start_again() -> None:
    engine = ScriptedEngine(dictionary)
    stream = Translator(engine).stream("Thank you!", "zh")

    async def read() -> str:
        return "".join([piece async for piece in stream])

    assert asyncio.run(read()) == stream.result().text == "谢谢！"
    assert asyncio.run(stream.aresult()).text == "谢谢！"
    assert len(engine.requests) == 1


@pytest.mark.parametrize("text", ["", "\n\n", "123\n4.5 %", "https://example.com", "早上好。", "\ufeff"])
def test_what_needs_no_translation_comes_back_unasked(text: str) -> None:
    engine = ScriptedEngine()
    assert Translator(engine).translate(text, "zh").text == text
    assert engine.requests == []


def test_the_wording_may_be_chinese() -> None:
    engine = ScriptedEngine(["谢谢！"])
    Translator(engine, wording=Wording.CHINESE).translate("Thank you!", "zh", "en")
    assert instructions(engine) == ["提供这句话的中文翻译：Thank you!"]


def test_terms_are_asked_for_where_they_occur() -> None:
    engine = ScriptedEngine(lambda conversation: asked_text(conversation).upper())
    text = "A token is a unit. The tokens are many.\nNo such word."
    Translator(engine).translate(text, "de", "en", terms=[("token", "Token"), ("unit", "Einheit")])
    assert sorted(instructions(engine)) == sorted(
        [
            translation_instruction("A token is a unit.", GERMAN, terms=["Token", "Einheit"]),
            translation_instruction("The tokens are many.", GERMAN),
            translation_instruction("No such word.", GERMAN),
        ]
    )


def test_an_empty_answer_keeps_the_source_and_is_counted() -> None:
    translation = Translator(ScriptedEngine(["你好。", "  \n"])).translate("Hello. Goodbye.", "zh", "en")
    assert translation.text == "你好。Goodbye."
    assert [segment.status for segment in translation.segments] == ["ok", "failed"]
    assert translation.failed == 1


def test_a_model_that_goes_round_in_circles_is_ended() -> None:
    translation = Translator(ScriptedEngine(["好" * 10_000])).translate("Good.", "zh", "en")
    assert translation.segments[0].status == "length"
    assert translation.truncated == 1
    assert 0 < len(translation.text) < 200


def test_max_tokens_grow_with_the_source() -> None:
    engine = ScriptedEngine(lambda _: "x")
    Translator(engine).translate("Hello.\n" + "word " * 70, "de", "en")

    def most(request: GenerationRequest) -> int:
        assert request.max_tokens is not None
        return request.max_tokens

    short, long = sorted(map(most, engine.requests))
    assert 32 <= short <= 100
    assert 140 <= long <= 400


def test_a_segment_that_does_not_fit_is_kept_and_counted() -> None:
    engine = ScriptedEngine(lambda _: "x", info=ModelInfo("small", "bayling", n_ctx=20))
    translation = Translator(engine).translate("Hi.\n" + "a b c d e f g h i j k l m n o p q r s t", "de", "en")
    assert [segment.status for segment in translation.segments] == ["ok", "failed"]
    assert translation.text == "x\na b c d e f g h i j k l m n o p q r s t"


def test_long_text_without_punctuation_fits_the_context() -> None:
    engine = ScriptedEngine(lambda _: "好", info=ModelInfo("small", "bayling", n_ctx=256))
    translation = Translator(engine).translate("word " * 2000, "zh", "en")
    assert translation.failed == 0
    assert len(translation.segments) > 50


def test_unknown_languages_are_usage_errors() -> None:
    translator = Translator(ScriptedEngine(info=ModelInfo("m", "bayling", 512, (ENGLISH, CHINESE))))
    with pytest.raises(UsageError, match="Unknown language 'xx'"):
        translator.stream("Hello.", "xx")
    with pytest.raises(UsageError, match=r"m does not know German, only en \(English\), zh \(Chinese\)"):
        translator.stream("Hello.", "de")
    with pytest.raises(UsageError, match="does not know French"):
        translator.stream("Bonjour.", "zh", FRENCH)


def test_an_error_of_the_engine_reaches_reader_and_result() -> None:
    stream = Translator(ScriptedEngine(["你好。", EngineError("broken")])).stream("Hello. Goodbye.", "zh", "en")
    with pytest.raises(EngineError, match="broken"):
        list(stream)
    with pytest.raises(EngineError, match="broken"):
        stream.result()


def test_cancelling_ends_the_pieces_and_keeps_the_draft() -> None:
    engine = ScriptedEngine(lambda _: "好的 " * 50, delay=0.01)
    stream = Translator(engine).stream("One. Two. Three.", "zh", "en")
    pieces = iter(stream)
    first = next(pieces) + next(pieces)
    threading.Thread(target=stream.cancel).start()
    rest = "".join(pieces)
    translation = stream.result()
    assert translation.text == first + rest
    assert [segment.status for segment in translation.segments] == ["cancelled"]
    assert translation.conversation.messages[-1].content == translation.text.strip()
    engine.close()


def test_cancelled_before_it_began() -> None:
    engine = ScriptedEngine()
    stream = Translator(engine).stream("One. Two.", "zh", "en")
    stream.cancel()
    assert list(stream) == []
    assert (stream.result().text, stream.result().segments) == ("", ())
    assert engine.requests == []


def test_ctrl_c_in_the_reader_leaves_the_draft() -> None:
    engine = ScriptedEngine(lambda _: "好的 " * 50, delay=0.01)
    stream = Translator(engine).stream("One. Two.", "zh", "en")
    pieces = iter(stream)
    next(pieces)
    with pytest.raises(KeyboardInterrupt):
        pieces.throw(KeyboardInterrupt())  # type: ignore[attr-defined]
    translation = stream.result()
    assert [segment.status for segment in translation.segments] == ["cancelled"]
    assert translation.text.startswith("好")
    engine.close()


def test_a_cancelled_task_stops_the_engine() -> None:
    engine = ScriptedEngine(lambda _: "好的 " * 1000, delay=0.01)
    generations: list[Generation] = []
    submit = engine.submit

    def kept(request: GenerationRequest) -> StreamedGeneration:
        generation = submit(request)
        generations.append(generation)
        return generation

    engine.submit = kept  # type: ignore[method-assign]

    async def run() -> None:
        task = asyncio.create_task(Translator(engine).atranslate("One. Two.", "zh", "en"))
        while not generations:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    # Before the engine is closed, which would stop them anyway.
    assert [generation.result(timeout=10).finish_reason for generation in generations] == ["cancelled"] * 2
    engine.close()


def test_lone_surrogates_do_not_reach_the_model() -> None:
    engine = ScriptedEngine(lambda _: "x")
    Translator(engine).translate("Hello \ud800 you", "de", "en")
    assert instructions(engine) == [translation_instruction("Hello \ufffd you", GERMAN)]


def test_refining_one_segment_continues_its_conversation() -> None:
    engine = ScriptedEngine(["早上好。", "早安。", "早安！"])
    translator = Translator(engine)
    draft = translator.translate("  Good morning.\n", "zh", "en")
    second = draft.refine('Use the word "早安".')
    third = second.refine("Be lively.")
    request = translation_instruction("Good morning.", CHINESE)
    assert engine.requests[1].conversation == user_turn(request).assistant("早上好。").user('Use the word "早安".')
    assert engine.requests[2].conversation == second.conversation.user("Be lively.")
    assert (draft.text, second.text, third.text) == ("  早上好。\n", "  早安。\n", "  早安！\n")
    assert len(third.conversation) == 6
    assert third.conversation.messages[-1].content == "早安！"


def test_refining_changes_only_the_segments_it_quotes() -> None:
    engine = ScriptedEngine(dictionary)
    draft = Translator(engine).translate(LETTER, "zh")
    engine = ScriptedEngine(["谢了！"])
    draft.translator.engine = engine
    refined = draft.refine('Fix "谢谢": it should be "谢了".')
    assert refined.text == draft.text.replace("谢谢", "谢了")
    request = user_turn(translation_instruction("Thank you!", CHINESE)).assistant("谢谢！")
    assert [made.conversation for made in engine.requests] == [request.user('Fix "谢谢": it should be "谢了".')]
    assert refined.conversation.messages[-1].content == refined.text.strip()


def test_refining_one_line_of_several_sentences_as_a_whole() -> None:
    engine = ScriptedEngine(["早上好。", "你好吗？", "您早。您好吗？"])
    refined = Translator(engine).translate(" Good morning. How are you?\n", "zh", "en").refine("Make it formal.")
    whole = user_turn(translation_instruction("Good morning. How are you?", CHINESE)).assistant("早上好。你好吗？")
    assert engine.requests[-1].conversation == whole.user("Make it formal.")
    assert refined.text == " 您早。您好吗？\n"
    assert len(refined.segments) == 1


def test_refining_several_lines_keeps_the_layout() -> None:
    draft = Translator(ScriptedEngine(dictionary)).translate(LETTER, "zh")
    draft.translator.engine = ScriptedEngine(lambda conversation: conversation.messages[1].content + "啊")
    refined = draft.refine("Make it lively.")
    assert refined.text == "亲爱的安娜，啊\n\n早上好。啊你好吗？啊\n\n* 123\n* 谢谢！啊\n\n祝好啊\n"


def test_refining_nothing_is_a_usage_error() -> None:
    translator = Translator(ScriptedEngine(["x"]))
    with pytest.raises(UsageError, match="no draft"):
        translator.translate("", "zh").refine("shorter")
    with pytest.raises(UsageError, match="empty"):
        translator.translate("Hello.", "de", "en").refine("  ")


def test_an_empty_refinement_keeps_the_draft() -> None:
    refined = Translator(ScriptedEngine(["早上好。", ""])).translate("Good morning.", "zh", "en").refine("shorter")
    assert refined.text == "早上好。"
    assert refined.failed == 1


def test_a_refinement_that_does_not_fit_is_an_error() -> None:
    engine = ScriptedEngine(["早上好。"], info=ModelInfo("small", "bayling", n_ctx=60))
    draft = Translator(engine).translate("Good morning.", "zh", "en")
    engine.enqueue("x")
    with pytest.raises(ContextOverflow, match="too many"):
        draft.refine("word " * 100)


def test_many_segments_in_order() -> None:
    numbers = [f"Line number {number} here" for number in range(500)]
    engine = ScriptedEngine(lambda conversation: asked_text(conversation).upper())
    translation = Translator(engine).translate("\n".join(numbers), "de", "en")
    assert translation.text == "\n".join(numbers).upper()


def test_as_many_requests_are_ahead_as_the_engine_serves_twice_over() -> None:
    for n_parallel, ahead in ((1, 4), (8, 16)):
        engine = ScriptedEngine(
            lambda _: "x y z", delay=0.01, info=ModelInfo("m", "bayling", 4096, n_parallel=n_parallel)
        )
        stream = Translator(engine).stream("\n".join(f"Line {number}" for number in range(50)), "de", "en")
        next(iter(stream))
        assert len(engine.requests) == ahead
        stream.cancel()
        list(stream)
        assert len(engine.requests) == ahead
        engine.close()
