"""A translator that needs no model: every word becomes two Chinese characters, always the same ones."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence

from bayling_lite.engine.base import ModelInfo
from bayling_lite.messages import Conversation
from bayling_lite.translate.formats import Layout, TextForm, TranslatedUnit, Unit
from bayling_lite.translate.markup import plain_text

# Tags, addresses and numbers stay; words and marks become Chinese.
_PARTS = re.compile(
    r"</?[a-z]?\d+/?>|https?://\S+|[\w.+-]+@[\w-]+\.[\w.-]+\w|\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’-][^\W\d_]+)*|[.!?,;:]|\s+|."
)
_MARKS = {".": "。", "!": "！", "?": "？", ",": "，", ";": "；", ":": "："}
_WORDS = re.compile(r"[^\W\d_]")

# So small that no neighbours are given.
SMALL = ModelInfo(name="small", template="bayling", n_ctx=1024)


def asked_text(conversation: Conversation) -> str:
    """The text that a request for a translation is about."""
    request = conversation.messages[-1].content.rpartition("for this sentence: ")[2]
    return request.partition("\nMake sure to include")[0]


def chinese_text(text: str) -> str:
    """The pretended translation of a text."""

    def part(found: re.Match[str]) -> str:
        one = found[0]
        if one.isspace():
            return ""
        if not _WORDS.match(one) or one.startswith("http") or "@" in one:
            return _MARKS.get(one, one)
        number = zlib.crc32(one.casefold().encode())
        return chr(0x4E00 + number % 3000) + chr(0x4E00 + number // 3000 % 3000)

    return _PARTS.sub(part, text)


def chinese(conversation: Conversation) -> str:
    """What a scripted engine answers, required words included."""
    words = conversation.messages[-1].content.partition("include these words: ")[2]
    return chinese_text(asked_text(conversation)) + words.replace(", ", "")


class Texts:
    """A document of units without a layout: each is a line."""

    form: TextForm | None = TextForm()
    suffix = ".txt"
    can_be_bilingual = False

    def __init__(self, units: Sequence[Unit | str]) -> None:
        self.all = [Unit(plain_text(unit)) if isinstance(unit, str) else unit for unit in units]
        self.read = 0
        self.written = 0
        self.farthest = 0

    def units(self) -> Iterator[Unit]:
        """The units; counts how far reading gets ahead of writing."""
        for unit in self.all:
            self.read += 1
            self.farthest = max(self.farthest, self.read - self.written)
            yield unit
        self.read = self.written = 0

    def write(self, translations: Iterator[TranslatedUnit], layout: Layout) -> Iterator[str]:
        """A line for each unit."""
        for translation in translations:
            self.written += 1
            yield translation.target.raw() + "\n"
