"""Quotation marks, and the width of Chinese punctuation."""

from __future__ import annotations

import re

from bayling_finetune.dialogues.styles.values import Variant
from bayling_finetune.dialogues.wording import Style

_Marks = tuple[str, str]
_STRAIGHT = ('"', '"')
_STYLES: dict[str, dict[Style, _Marks]] = {
    "en": {Style.CURLY_QUOTES: ("“", "”"), Style.STRAIGHT_QUOTES: _STRAIGHT},
    "zh": {Style.CURLY_QUOTES: ("“", "”"), Style.CORNER_QUOTES: ("「", "」"), Style.STRAIGHT_QUOTES: _STRAIGHT},
    "de": {Style.GERMAN_QUOTES: ("„", "“"), Style.STRAIGHT_QUOTES: _STRAIGHT},
    "fr": {Style.GUILLEMETS: ("« ", " »"), Style.STRAIGHT_QUOTES: _STRAIGHT},
}
_ANY_MARK = re.compile(r"[\"“”„‟«»「」『』]")
# What may stand before an opening mark and after a closing one.
_BEFORE, _AFTER = r"(?:^|(?<=[\s(\[—–,:，：。！？、]))", r"(?=$|[\s)\].,;:!?…—–。，！？、；：])"

_WIDE = {"，": ",", "？": "?", "！": "!", "：": ":", "；": ";", "。": "."}
_NARROW = {narrow: wide for wide, narrow in _WIDE.items()}
_TO_NARROW = str.maketrans("".join(_WIDE), "".join(_WIDE.values()))
_HAN = r"[\u3400-\u9fff]"


def variants(text: str, code: str) -> list[Variant]:
    """The text with other quotation marks; Chinese also with punctuation of the other width."""
    found = _quoted_otherwise(text, _STYLES.get(code, {}))
    if code == "zh":
        found += _of_other_width(text)
    return found


def _quoted_otherwise(text: str, styles: dict[Style, _Marks]) -> list[Variant]:
    if "\n" in text:
        return []
    for style, marks in styles.items():
        inner = _quotations(text, marks)
        if inner is not None:
            others = [(other, there) for other, there in styles.items() if other is not style]
            return [
                Variant(_with_marks(text, inner, marks, there), other, style)
                for other, there in others
                if _quotations(_with_marks(text, inner, marks, there), there) is not None
            ]
    return []


def _quotations(text: str, marks: _Marks) -> list[tuple[int, int]] | None:
    """Where the quotations are (marks included) when all of them have these marks, and there are no others."""
    left, right = map(re.escape, marks)
    # Chinese has no spaces around quotations, so that straight marks must simply come in pairs.
    free = re.search(_HAN, text) is not None
    before, after = ("", "") if free or marks != _STRAIGHT else (_BEFORE, _AFTER)
    spans = [match.span() for match in re.finditer(rf"{before}{left}(?=[^\s])[^\"“”„«»「」『』]+?{right}{after}", text)]
    if not spans or len(_ANY_MARK.findall(text)) != 2 * len(spans):
        return None
    inside = [text[start + len(marks[0]) : stop - len(marks[1])] for start, stop in spans]
    return spans if all(part and part == part.strip() for part in inside) else None


def _with_marks(text: str, spans: list[tuple[int, int]], old: _Marks, new: _Marks) -> str:
    for start, stop in reversed(spans):
        text = text[:start] + new[0] + text[start + len(old[0]) : stop - len(old[1])] + new[1] + text[stop:]
    return text


def _of_other_width(text: str) -> list[Variant]:
    wide = [character for character in text if character in _WIDE]
    narrow = [character for character in text if character in _NARROW]
    if wide and not narrow:
        return [Variant(text.translate(_TO_NARROW), Style.HALF_WIDTH, Style.FULL_WIDTH)]
    # Half-width marks may belong to a figure or to a foreign word: all must come right after a Chinese character.
    after_han = re.findall(rf"(?<={_HAN})[,?!:;.](?= ?(?:{_HAN}|[^\w.]|$))", text)
    if narrow and not wide and len(after_han) == len(narrow):
        full = re.sub(rf"(?<={_HAN})([,?!:;.]) ?", lambda match: _NARROW[match[1]], text)
        return [Variant(full, Style.FULL_WIDTH, Style.HALF_WIDTH if " " not in text else None)]
    return []
