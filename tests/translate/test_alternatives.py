"""Other translations than the draft: how they are asked for, which are taken, and in which order."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bayling_lite.engine.base import Completion, GenerationRequest, Hypothesis, ModelInfo, SearchParams
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import ContextOverflow, EngineError, PhrasesDoNotFit, UsageError
from bayling_lite.messages import Conversation
from bayling_lite.prompts import Wording
from bayling_lite.translate import Translation, Translator
from bayling_lite.translate.alternatives import _other_texts
from bayling_lite.translate.asking.budget import TokenBudget
from bayling_lite.translate.asking.steps import Reply, SteppedWork
from bayling_lite.translate.refining.means import Means

SEARCHES = ModelInfo("searching", "bayling", n_ctx=4096, can_search=True)
CAT = ("cat", "Katze")


def drafted(text: str, *answers: str, info: ModelInfo | None = None) -> tuple[Translation, ScriptedEngine]:
    """A draft, and the engine that will be asked for other ones."""
    engine = ScriptedEngine(answers, info=info)
    draft = Translator(engine).translate(text, "de", "en", terms=[CAT])
    engine.requests.clear()
    return draft, engine


def completion(text: str = "", *found: tuple[str, float]) -> Completion:
    hypotheses = tuple(Hypothesis(one, logprob / 5, logprob, 5, finished=True) for one, logprob in found)
    return Completion(text, "stop", 1, 0, 1, 0.0, 0.0, hypotheses=hypotheses)


# Sampled.


def test_without_search_several_answers_to_the_same_request_are_drawn() -> None:
    answers = ["Eine Katze!", "Die Katze.", "die katze", "Katze.", "x", "Ein Kater."]
    draft, engine = drafted("A cat.", "Eine Katze.", *answers)
    assert [one.text for one in draft.alternatives(3).result()] == ["Die Katze.", "Katze."]
    assert {request.conversation for request in engine.requests} == {Conversation(draft.conversation.messages[:-1])}
    assert len({request.sampling.seed for request in engine.requests}) == len(engine.requests) == 6
    assert all(request.sampling.temperature > 0 and request.search is None for request in engine.requests)


def test_an_alternative_is_a_draft_like_the_other() -> None:
    draft, engine = drafted(" A cat.\n", "Eine Katze.", "Die Katze.", "Katze.", "Die Katze!")
    (other,) = draft.alternatives(1).result()
    assert (other.text, other.source_text, other.terms) == (" Die Katze.\n", " A cat.\n", (CAT,))
    assert other.conversation == Conversation(draft.conversation.messages[:-1]).assistant("Die Katze.")
    other.refine("Louder!")
    assert engine.requests[-1].conversation == other.conversation.user("Louder!")


def test_several_segments_change_together_and_what_has_no_word_stays() -> None:
    draft, _ = drafted(
        "A cat.\n42\nGo!\n", "Eine Katze.", "Geh!", "Die Katze.", "Katze.", "a", "b", "Los!", "Lauf!", "Geh.", ""
    )
    first, second = draft.alternatives(2).result()
    assert (first.text, second.text) == ("Die Katze.\n42\nLos!\n", "Katze.\n42\nLauf!\n")
    assert [segment.status for segment in second.segments] == ["ok", "kept", "ok"]
    assert second.conversation.messages[-1].content == second.text.strip()


def test_a_segment_without_another_text_keeps_its_own() -> None:
    draft, _ = drafted("Go.\nRun.", "Geh.", "Lauf.", "geh", "Geh.", "Geh!", "GEH", "Renn.", "Eile.", "x" * 300, "")
    assert [one.text for one in draft.alternatives(2).result()] == ["Geh.\nRenn.", "Geh.\nEile."]


def test_there_may_be_none() -> None:
    draft, _ = drafted("Go.", "Geh.", "geh", "Geh!")
    assert draft.alternatives(1).result() == ()


def test_what_cannot_be_is_refused() -> None:
    draft, _ = drafted("Go.", "Geh.")
    with pytest.raises(UsageError, match="1 or more, not 0"):
        draft.alternatives(0)
    with pytest.raises(UsageError, match="no draft"):
        Translator(ScriptedEngine()).translate("", "de").alternatives(2)


def test_the_asynchronous_result_is_the_same() -> None:
    draft, _ = drafted("Go.", "Geh.", "Lauf.", "Renn.")
    assert [one.text for one in asyncio.run(draft.alternatives(1).aresult())] == ["Lauf."]


def test_an_error_reaches_who_asks() -> None:
    draft, _ = drafted("Go.", "Geh.")
    stream = draft.alternatives(1)
    for _ in range(2):
        with pytest.raises(EngineError, match="no answer left"):
            stream.result()


def test_cancelling_keeps_what_was_found() -> None:
    def answer(conversation: Conversation) -> str:
        return "Lauf." if "Go" in conversation.messages[0].content else "x " * 500

    draft = Translator(ScriptedEngine(["Geh.", "Warte."])).translate("Go.\nWait.", "de", "en")
    draft.translator.engine = ScriptedEngine(answer, delay=0.01)
    stream = draft.alternatives(1)
    assert (stream.done, stream.total) == (0, 2)
    threading.Timer(0.2, stream.cancel).start()
    assert [one.text for one in stream.result()] == ["Lauf.\nWarte."]
    draft.translator.engine.close()


def test_ctrl_c_in_the_reader_leaves_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    draft, engine = drafted("Go.\nRun.", "Geh.", "Lauf.", "Los.", "Auf.", "Renn.", "Eile.")
    wait, waits = SteppedWork.wait, iter((False, True))

    def interrupted(work: SteppedWork[list[str]]) -> list[str] | None:
        if next(waits):
            raise KeyboardInterrupt
        return wait(work)

    monkeypatch.setattr(SteppedWork, "wait", interrupted)
    stream = draft.alternatives(1)
    with pytest.raises(KeyboardInterrupt):
        stream.result()
    assert [one.text for one in stream.result()] == ["Los.\nLauf."]
    assert len(engine.requests) == 4


def test_cancelled_at_once_nothing_is_asked() -> None:
    draft, engine = drafted("Go.", "Geh.")
    stream = draft.alternatives(1)
    stream.cancel()
    assert stream.result() == ()
    assert engine.requests == []


# Searched for: the steps, given what a search might find.


class Asked:
    """The steps for the first segment of a draft, and what they have asked."""

    def __init__(self, draft: Translation, count: int) -> None:
        means = Means(TokenBudget(draft.translator.engine), Wording.ENGLISH, 1, can_search=True, wide=False)
        self.steps = _other_texts(draft, draft.segments[0], count, means)
        self.requests: Sequence[GenerationRequest] = next(self.steps)
        self.texts: list[str] | None = None

    def told(self, *replies: Reply) -> None:
        try:
            self.requests = self.steps.send(list(replies))
        except StopIteration as end:
            self.texts = end.value


def weighed(asked: Asked, back: dict[str, float]) -> None:
    """Tell how likely the source is as the translation of each text that is asked about."""
    replies = []
    for request in asked.requests:
        assert request.search is not None
        (phrase,) = request.search.required
        text = request.conversation.messages[0].content.rpartition(": ")[2]
        replies.append(completion(phrase, (phrase, back.get(text, -1.0))))
    asked.told(*replies)


def test_a_search_is_for_the_words_that_the_draft_has() -> None:
    draft, _ = drafted("A cat.", "Eine Katze.", info=SEARCHES)
    asked = Asked(draft, 3)
    (request,) = asked.requests
    assert request.search == SearchParams(8, n_best=8, required=("Katze",))
    assert request.conversation == Conversation(draft.conversation.messages[:-1])


def test_the_best_has_the_source_in_it() -> None:
    draft, _ = drafted("A big dog.", "Ein Hund, groß.", info=SEARCHES)
    asked = Asked(draft, 3)
    found = [
        ("Ein Hund.", -1.0),
        ("Ein großer Hund.", -2.0),
        ("Ein Hund, groß!", -0.1),
        ("Ein Hund der groß ist.", -4.0),
    ]
    asked.told(completion("", *found))
    assert len(asked.requests) == 5  # the draft's own log-probability is not known
    weighed(
        asked, {"Ein Hund, groß.": -2.0, "Ein Hund.": -12.0, "Ein großer Hund.": -2.0, "Ein Hund der groß ist.": -3.0}
    )
    assert asked.texts == ["Ein großer Hund.", "Ein Hund der groß ist."]


def test_what_the_words_do_not_fit_into_is_drawn() -> None:
    draft, _ = drafted("A cat.", "Eine Katze.", info=SEARCHES)
    asked = Asked(draft, 1)
    asked.told(PhrasesDoNotFit("This model thinks first."))
    assert [request.search for request in asked.requests] == [None, None]
    asked.told(completion("Die Katze."), completion("Ein Kater."))
    assert asked.texts == ["Die Katze."]


def test_what_does_not_fit_the_context_has_no_other_translation() -> None:
    draft, _ = drafted("A cat.", "Eine Katze.", info=SEARCHES)
    asked = Asked(draft, 1)
    asked.told(ContextOverflow(9, 8))
    assert asked.texts == []


# The embedded model.


@pytest.fixture(scope="module")
def embedded(tiny_model: Path) -> Iterator[Translator]:
    with LlamaEngine.open(tiny_model) as engine:
        yield Translator(engine)


def test_the_embedded_model_finds_other_translations(embedded: Translator) -> None:
    draft = embedded.translate(
        "I was not surprised.\n\nDo you want to drink some water?", "de", "en", terms=[("water", "Quellwasser")]
    )
    others = draft.alternatives(3).result()
    assert len({draft.text, *(one.text for one in others)}) == 1 + len(others) == 4
    assert all("Quellwasser" in one.text and one.text.count("\n") == 2 and not one.failed for one in others)
