"""Saying the same in less, or in more: what is asked, and which texts are taken for a shorter or longer draft."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bayling_lite.engine.base import Completion, GenerationRequest, Hypothesis, ModelInfo
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import ContextOverflow, PhrasesDoNotFit, UsageError
from bayling_lite.messages import Conversation
from bayling_lite.prompts import Wording, longer_instruction, shorter_instruction
from bayling_lite.translate import Term, Translation, Translator
from bayling_lite.translate.asking.budget import TokenBudget
from bayling_lite.translate.asking.steps import Reply
from bayling_lite.translate.refining.length import plan_resized, resized
from bayling_lite.translate.refining.means import Means, stutters

SEARCHES = ModelInfo("searching", "bayling", n_ctx=4096, can_search=True)
LONG = "Ich hätte sehr gerne ein Glas Wasser."


def drafted(text: str, *answers: str, terms: tuple[Term, ...] = ()) -> tuple[Translation, ScriptedEngine]:
    """A draft, and the engine that will be asked to resize it."""
    engine = ScriptedEngine(answers)
    draft = Translator(engine).translate(text, "de", "en", terms=terms)
    engine.requests.clear()
    return draft, engine


# An engine that cannot search: the model does as it is told, or the draft stays.


@pytest.mark.parametrize(
    ("instruction", "answer"),
    [
        (shorter_instruction(), "Ich möchte Wasser, bitte."),
        (longer_instruction(), "Ich hätte wirklich sehr gerne ein großes Glas Wasser."),
    ],
)
def test_the_model_is_asked_in_the_draft_s_conversation(instruction: str, answer: str) -> None:
    draft, engine = drafted(" I would like a glass of water.\n", LONG, answer)
    changed = (draft.shorter() if instruction == shorter_instruction() else draft.longer()).result()
    assert [request.conversation for request in engine.requests] == [draft.conversation.user(instruction)]
    assert changed.text == f" {answer}\n"
    assert changed.conversation == draft.conversation.user(instruction).assistant(answer)
    assert not changed.unchanged


def test_the_wording_may_be_chinese() -> None:
    engine = ScriptedEngine([LONG, "Ich möchte Wasser, bitte."])
    draft = Translator(engine, wording=Wording.CHINESE).translate("I would like a glass of water.", "de", "en")
    draft.shorter().result()
    assert engine.requests[1].conversation.messages[-1].content == shorter_instruction(wording=Wording.CHINESE)


@pytest.mark.parametrize(
    "answer",
    [
        LONG,
        "Ich hätte sehr gern ein Glas Wasser.",  # one letter less
        "Wasser.",
        "",
        "I would like some water.",  # another language
        "Glas Glas Wasser Wasser sehr gerne",
        "Ich hätte gerne ein 水.",
    ],
)
def test_what_is_no_shorter_translation_leaves_the_draft_as_it_is(answer: str) -> None:
    draft, engine = drafted("I would like a glass of water.", LONG, answer)
    same = draft.shorter().result()
    assert same.unchanged
    assert (same.text, same.segments, same.conversation) == (draft.text, draft.segments, draft.conversation)
    assert len(engine.requests) == 1
    assert not draft.unchanged


def test_terms_and_words_stay() -> None:
    draft, _ = drafted("I want a glass of water.", LONG, "Ich möchte Leitungswasser.", terms=(("water", "Wasser"),))
    assert draft.shorter().result().unchanged


def test_each_segment_changes_or_stays_by_itself() -> None:
    text = "I would like a glass of water.\n42\nThank you very much!\n"
    thanks = "Haben Sie vielen herzlichen Dank!"
    draft, engine = drafted(text, LONG, thanks, "Ich möchte Wasser, bitte.", thanks, "a", "b")
    stream = draft.shorter()
    assert "".join(stream) == stream.result().text == f"Ich möchte Wasser, bitte.\n42\n{thanks}\n"
    changed = stream.result()
    assert [segment.status for segment in changed.segments] == ["ok", "kept", "ok"]
    assert changed.segments[2] == draft.segments[2]
    assert not changed.unchanged
    changed.refine("Be loud.")
    asked = [request.conversation for request in engine.requests[2:]]
    assert asked[0] == changed.segments[0].conversation.user("Be loud.")
    assert asked[1] == draft.segments[2].conversation.user("Be loud.")


def test_the_asynchronous_stream_gives_the_same() -> None:
    async def run(draft: Translation) -> tuple[list[str], str]:
        stream = draft.shorter()
        return [piece async for piece in stream], (await stream.aresult()).text

    draft, _ = drafted("I would like a glass of water.", LONG, "Ich möchte Wasser, bitte.")
    assert asyncio.run(run(draft)) == (["Ich möchte Wasser, bitte."], "Ich möchte Wasser, bitte.")


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="no draft"):
        Translator(ScriptedEngine()).translate("", "de").shorter()
    draft, engine = drafted("I would like a glass of water.", LONG)
    engine.enqueue(ContextOverflow(9, 8))
    with pytest.raises(ContextOverflow):
        draft.longer().result()


def test_cancelling_stops_and_keeps_what_is_done() -> None:
    def answer(conversation: Conversation) -> str:
        return "Ich möchte Wasser, bitte." if "glass" in conversation.messages[0].content else "x " * 500

    draft, _ = drafted("I would like a glass of water.\nThank you very much!", LONG, "Vielen herzlichen Dank!")
    draft.translator.engine = engine = ScriptedEngine(answer, delay=0.01)
    stream = draft.shorter()
    threading.Timer(0.3, stream.cancel).start()
    assert "".join(stream).strip() == stream.result().text.strip() == "Ich möchte Wasser, bitte."
    engine.close()


# An engine that can: the steps, given what a search might find.


def completion(*found: tuple[str, float]) -> Completion:
    hypotheses = tuple(Hypothesis(text, logprob / 5, logprob, 5, finished=True) for text, logprob in found)
    return Completion("", "stop", 1, 0, 1, 0.0, 0.0, hypotheses=hypotheses)


class Asked:
    """The steps for a draft of one segment, and what they have asked; ``text`` is what they came to."""

    def __init__(self, draft: Translation, *, longer: bool = False) -> None:
        means = Means(TokenBudget(draft.translator.engine), Wording.ENGLISH, 1, can_search=True, wide=False)
        (task,) = plan_resized(draft, longer=longer, means=means).tasks
        assert task.steps is not None
        self.steps = task.steps()
        self.requests: Sequence[GenerationRequest] = next(self.steps)
        self.text: str | None = ""

    def told(self, *replies: Reply) -> None:
        try:
            self.requests = self.steps.send(list(replies))
        except StopIteration as end:
            self.requests, self.text = (), end.value

    def weighed(self, weights: dict[str, tuple[float, float]]) -> None:
        """Say how likely each text is, and the source as its translation."""
        replies = []
        for request in self.requests:
            assert request.search is not None
            (phrase,) = request.search.required
            asked = request.conversation.messages[-1].content.partition(": ")[2]
            there = phrase in weights
            logprob = weights[phrase][0] if there else weights[asked][1]
            replies.append(completion((phrase, logprob)) if logprob > -math.inf else completion(("?" + phrase, -9.0)))
        self.told(*replies)


SHORT, LOST = "Ich möchte Wasser, bitte.", "Ich hätte sehr gerne eins."


def test_what_lacks_a_part_of_the_source_is_not_taken() -> None:
    asked = Asked(drafted("I would like a glass of water.", LONG)[0])
    asked.told(completion((LONG, -1.0), (LOST, -1.5), (SHORT, -3.0)))
    asked.weighed({LONG: (-4.0, -3.0), LOST: (-4.0, -14.0), SHORT: (-5.0, -3.5)})
    assert asked.text == SHORT


def test_the_best_on_both_sides_is_taken() -> None:
    asked = Asked(drafted("I would like a glass of water.", LONG)[0])
    better = "Ich hätte gern ein Glas Wasser."
    asked.told(completion((SHORT, -1.0), (better, -1.5)))
    asked.weighed({LONG: (-4.0, -3.0), SHORT: (-5.0, -3.5), better: (-4.5, -3.2)})
    assert asked.text == better


def test_a_model_that_does_not_understand_is_asked_for_the_translation_again() -> None:
    draft = drafted("I would like a glass of water.", LONG)[0]
    asked = Asked(draft)
    asked.told(completion((LONG, -0.1), (LOST, -4.0)))
    asked.weighed({LONG: (-4.0, -3.0), LOST: (-9.0, -14.0)})
    assert [request.conversation for request in asked.requests] == [Conversation(draft.conversation.messages[:-1])]
    asked.told(completion((LONG, -4.0), (SHORT, -5.0)))
    assert len(asked.requests) == 2  # how likely the texts are is known
    asked.weighed({LONG: (0.0, -3.0), SHORT: (0.0, -3.0)})
    assert asked.text == SHORT


@pytest.mark.parametrize(
    "weights",
    [
        {LONG: (-4.0, -3.0), SHORT: (-9.0, -3.0)},  # hardly a text that the model would write
        {LONG: (-4.0, -3.0), SHORT: (-4.0, -math.inf)},
        {LONG: (-4.0, -60.0), SHORT: (-4.0, -60.0)},  # neither says what the source says
    ],
)
def test_where_nothing_is_good_enough_the_draft_stays(weights: dict[str, tuple[float, float]]) -> None:
    asked = Asked(drafted("I would like a glass of water.", LONG)[0])
    asked.told(completion((SHORT, -1.0)))
    asked.weighed(weights)
    asked.told(completion((LONG, -1.0)))
    assert asked.text is None


def test_where_no_search_is_possible_the_answer_counts() -> None:
    asked = Asked(drafted("I would like a glass of water.", LONG)[0])
    asked.told(PhrasesDoNotFit("This model thinks first."))
    assert [request.search for request in asked.requests] == [None]
    asked.told(Completion(SHORT, "stop", 1, 0, 1, 0.0, 0.0))
    assert asked.text == SHORT


@pytest.mark.parametrize(
    ("text", "before", "longer", "expected"),
    [
        ("abc def", "abc def ghi", False, True),
        ("abc def ghi", "abc def", True, True),
        ("abc", "abc def ghi", False, False),  # too much is gone
        ("abc def ghi jkl", "abc def", True, False),
        ("abc def gh", "abc def ghi", False, False),
        ("我要水", "我要喝水", False, True),
        ("我要喝水", "我要水", True, True),
        ("abc def", "abc def ghi", True, False),
    ],
)
def test_what_is_clearly_shorter_or_longer(text: str, before: str, longer: bool, expected: bool) -> None:
    assert resized(text, before, longer=longer) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to learn to learn", True),
        ("the the cat", True),
        ("Zu lernen, zu lernen.", True),
        ("这个问题问题", True),
        ("他每天来这里来这里。", True),
        ("the cat and the dog", False),
        ("Go. Go home.", False),
        ("The then", False),
        ("妈妈和爸爸", False),
        ("42 42", False),
    ],
)
def test_what_stutters(text: str, expected: bool) -> None:
    assert stutters(text) is expected


# The embedded model.


@pytest.fixture(scope="module")
def embedded(tiny_model: Path) -> Iterator[Translator]:
    with LlamaEngine.open(tiny_model) as engine:
        yield Translator(engine)


def test_the_embedded_model_says_it_in_less_and_in_more(embedded: Translator) -> None:
    draft = embedded.translate("You're not dead, aren't you?\n\nNous faisons beaucoup de choses.", "en", "fr")
    shorter, longer = draft.shorter().result(), draft.longer().result()
    for changed, sign in ((shorter, -1), (longer, 1)):
        pairs = list(zip(changed.segments, draft.segments, strict=True))
        assert all(new == old or sign * (len(new.text) - len(old.text)) >= 2 for new, old in pairs)
        assert changed.unchanged == (changed.text == draft.text)
    assert not (shorter.unchanged and longer.unchanged)
