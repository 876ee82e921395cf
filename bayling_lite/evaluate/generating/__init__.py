"""Having scripts answered: many at once, each answer kept before the next is asked for."""

from __future__ import annotations

from bayling_lite.evaluate.generating.generator import Answered, Generator, Progress
from bayling_lite.evaluate.generating.store import FILE_NAME, AnswerStore

__all__ = ["FILE_NAME", "AnswerStore", "Answered", "Generator", "Progress"]
