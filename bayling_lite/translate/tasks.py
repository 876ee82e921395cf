"""What is to become of a segment: asked of the model in one way or another, or kept as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bayling_lite.languages import Language
from bayling_lite.messages import Conversation
from bayling_lite.translate.asking.steps import Steps
from bayling_lite.translate.formats.plain import PlainWriter
from bayling_lite.translate.refining.corrections import Correction
from bayling_lite.translate.results import Status, TranslatedSegment, Translation
from bayling_lite.translate.segments import Segment


@dataclass(frozen=True, slots=True)
class Task:
    """A segment and what is to become of it.

    ``conversation`` ends with the user's turn when the model is to be asked. When ``status`` is given, nothing is asked
    and ``fallback`` is the text; else ``fallback`` stands when no answer comes. A request that does not fit the context
    counts as one without an answer, unless it ``must_fit``: then it is an error. ``words`` are required in the answer;
    where the model cannot be made to write them, it is asked without that. With ``near``, the answer is found by a
    search, and of its hypotheses the one nearest to this text is taken; with a ``correction``, that is tried before.
    What is ``held`` is required too, as long as the ``words`` can be had with it: words that were asked for earlier.

    Words that are ``likely``, as they are in the draft, are searched for only where the answer lacks them. So they are
    where the answer is ``sampled``: then the text with the words is taken that is nearest to it.

    With ``steps``, the answer is what those come to, and where that is nothing, the segment stays what it was,
    ``before``.
    """

    segment: Segment
    conversation: Conversation
    fallback: str
    status: Status | None = None
    must_fit: bool = False
    words: tuple[str, ...] = ()
    near: str = ""
    correction: Correction | None = None
    likely: bool = False
    sampled: bool = False
    steps: Callable[[], Steps[str | None]] | None = None
    before: TranslatedSegment | None = None
    held: tuple[str, ...] = ()

    @property
    def required(self) -> tuple[str, ...]:
        """The ``words``, and those that are ``held``."""
        return tuple(dict.fromkeys((*self.words, *self.held)))


@dataclass(frozen=True, slots=True)
class Work:
    """What is to become of all segments, where their texts go, how they are put together, and in which language."""

    tasks: Sequence[Task]
    writer: PlainWriter
    finish: Callable[[str, tuple[TranslatedSegment, ...]], Translation]
    target: Language
