"""How good translations of a sentence are, as the model itself sees it from both sides.

A beam search finds texts that are likely after the request, and among those of another length many are so because they
leave something out: a short text has few tokens that could be unlikely. What is missing shows in the other direction,
when the source is to be the translation of the text: the word that has no counterpart is a surprise there. Together
the two make a noisy channel (Brown et al. 1993; as reranking Yee et al. 2019, arXiv 1908.05731).

The log-probability of a given text is that of a search that must write it.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from bayling_lite.engine.base import GenerationRequest, SearchParams
from bayling_lite.languages import Language
from bayling_lite.messages import Conversation
from bayling_lite.translate.asking.steps import Reply
from bayling_lite.translate.refining.means import Means

# Room for the tokens that a text has in another place of a conversation.
_SPARE = 4
_NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Weight:
    """A text and its log-probabilities in nats: of itself as the answer, and of the source as its translation."""

    text: str
    there: float
    back: float


def weigh(
    texts: Sequence[str],
    asked: Conversation,
    source: str,
    language: Language,
    means: Means,
    known: Mapping[str, float],
) -> Generator[Sequence[GenerationRequest], list[Reply], list[Weight]]:
    """The weights of translations of ``source``, a text in ``language``, in their order.

    ``asked`` ends with the request for them; ``known`` are log-probabilities after it that need not be looked for.
    """
    unknown = [text for text in texts if text not in known]
    replies = yield [
        *(_exactly(source, means.back(text, language), means) for text in texts),
        *(_exactly(text, asked, means) for text in unknown),
    ]
    back = [_logprob(source, reply) for reply in replies[: len(texts)]]
    there = dict(known)
    there |= {text: _logprob(text, reply) for text, reply in zip(unknown, replies[len(texts) :], strict=True)}
    return [Weight(text, there[text], logprob) for text, logprob in zip(texts, back, strict=True)]


def _exactly(text: str, asked: Conversation, means: Means) -> GenerationRequest:
    most = means.budget.tokens(text) + _SPARE
    return GenerationRequest(asked, max_tokens=most, search=SearchParams(1, required=(text,)))


def _logprob(text: str, reply: Reply) -> float:
    """Of exactly this text; a model that had to say something else first finds it all but impossible."""
    if isinstance(reply, Exception):
        return _NEVER
    return next((found.logprob for found in reply.hypotheses if found.text.strip() == text.strip()), _NEVER)
