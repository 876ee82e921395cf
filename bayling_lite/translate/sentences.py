"""Where sentences end, in any of our languages, by rule.

A mark ends a sentence when what stands around it allows: a full stop after an abbreviation, an initial or an ordinal
does not, a mark before a word in lower case does not (unless the whole text is in lower case), the Chinese marks need
no space behind them. The rules need no language: the lists of abbreviations hold those of all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_WIDE_MARKS = "。！？；｡"
_CLOSING = "\"'”’»›)\\]}」』）】》〉〕］｝"
# After a Western mark these close in German („Ja.“, »Ja.«); after a Chinese one “ opens the next sentence.
_CLOSING_GERMAN = "“‘«‹"
_OPENING = "\"'“‘„‚«‹»›([{「『（【《〈¿¡—–-*_ \u00a0\u202f"
_MARK = re.compile(
    rf"(?:[.!?…؟۔।]*[{_WIDE_MARKS}]+[.!?…{_WIDE_MARKS}]*[{_CLOSING}]*"
    rf"|[.!?…؟۔।]+(?:\[\d{{1,3}}\])*[{_CLOSING}{_CLOSING_GERMAN}]*(?:[ \u00a0\u202f][»›](?=\s|\Z))?)"
)
_WORD_BEFORE = re.compile(r"[^\s()\[\]{}\"'“‘«„‚»‹›,;:/]+\Z")
_WORD_AFTER = re.compile(r"[^\W\d_]+")
_HAN_REPORTS = re.compile(r"[^，。！？；\s]{0,4}[说問问道喊叫答說]")

# No sentence ends with these.
_NEVER_LAST = frozenset(
    """mr mrs ms dr prof st sr fr hr frl hrn mme mlle mm messrs rev hon gen col capt lt sgt gov sen rep pres supt
    vs ca cca bzw evtl ggf inkl exkl vgl sog bspw zzgl abzgl lt gem geb verh ehem insb max min mind tel fax
    e.g i.e z.b d.h u.a u.u o.ä i.d.r s.o s.u v.a z.t m.e a.d n.chr v.chr c.-à-d p.ex ex cf al approx est dept
    jan feb mär apr jun jul aug sept sep okt oct nov dez dec janv févr avr juil mt ft""".split()  # noqa: SIM905 - a table
)
# These end a sentence when the next word is capitalised.
_MAY_BE_LAST = frozenset("etc usw usf u.s u.k e.u a.m p.m b.c a.d u.s.a inc ltd co corp jr bros ph.d m.d".split())  # noqa: SIM905
# These are abbreviations only before a number; "No." alone is an answer.
_BEFORE_NUMBER = frozenset("no nr nos p pp s vol bd fig abb art abs sec ch kap chap § tab eq z".split())  # noqa: SIM905
# After these a number with a full stop is an ordinal: der 2. Weltkrieg, am 3. Mai.
_BEFORE_ORDINAL = frozenset(
    "der die das dem den des im am vom zum zur beim ein eine einer einem einen jeder jede jedes seit bis ab mein dein sein ihr".split()  # noqa: SIM905, E501
)
MONTHS = frozenset(
    """januar jänner februar märz april mai juni juli august september oktober november dezember
    ledna února března dubna května června července srpna září října listopadu prosince""".split()  # noqa: SIM905
)


def ends_sentence(text: str) -> bool:
    """Whether the text's last mark ends a sentence, so that nothing can belong to it that follows on the next line."""
    last = text[-1:]
    if last in ":：":
        return bool(last)
    tail = text[-60:]
    for found in _MARK.finditer(tail):
        if found.end() == len(tail):
            return not (found[0] == "." and _is_abbreviation(tail, found.start(), ""))
    return False


def sentence_spans(text: str, limit: int) -> Iterator[tuple[int, int]]:
    """The sentences of a paragraph as ``(start, end)``, without the white space between them.

    A sentence wider than ``limit`` columns (a Chinese character takes two) is cut: after a clause, else at a space,
    else anywhere between two characters.
    """
    lower_case = not any(map(str.isupper, text))
    start = 0
    for found in _MARK.finditer(text):
        end = found.end()
        if end < len(text) and found.start() >= start and _breaks(text, start, found, lower_case=lower_case):
            yield from _cut(text, start, end, limit)
            start = end + _space(text, end)
    if start < len(text):
        yield from _cut(text, start, len(text), limit)


def _space(text: str, at: int) -> int:
    """The number of white space characters at a place."""
    end = at
    while end < len(text) and text[end].isspace():
        end += 1
    return end - at


def _breaks(text: str, start: int, found: re.Match[str], *, lower_case: bool) -> bool:
    """Whether the mark ends a sentence that began at ``start``; something follows it."""
    mark, end = found[0], found.end()
    after = end + _space(text, end)
    if after >= len(text):
        return False
    following = text[after]
    if any(char in _WIDE_MARKS for char in mark):
        # “好！”他说。 is one sentence; a comma behind a closing quote goes on as well.
        return following not in "，、。：,:;）)" and not (mark[-1] in '”」』"' and _HAN_REPORTS.match(text, after))
    if after == end:
        return ("!" in mark or "?" in mark) and is_wide(following) and following.isalpha()
    begins = text[after : after + 8].lstrip(_OPENING)
    if begins[:1].islower() and not lower_case:
        return False
    if mark.startswith(".") and not mark.startswith(".."):
        near = max(start, found.start() - 40)
        return not _is_abbreviation(text[near:after], found.start() - near, text[after : after + 40])
    return True


def _is_abbreviation(text: str, at: int, after: str) -> bool:
    """Whether the full stop at a place belongs to an abbreviation, an initial or an ordinal; ``after`` it stands."""
    before = text[max(0, at - 40) : at]
    word = _WORD_BEFORE.search(before)
    if word is None:
        return False
    name = word[0].casefold()
    if len(name) == 1 and name.isalpha():
        # An initial, or half of "z. B."; one Chinese character is a word.
        return not is_wide(name)
    if name in _NEVER_LAST:
        return True
    if name in _MAY_BE_LAST:
        return not after.lstrip(_OPENING)[:1].isupper()
    if name in _BEFORE_NUMBER:
        return after[:1].isdigit()
    return name.isdecimal() and len(name) <= 2 and _is_ordinal(before[: word.start()], after)


def _is_ordinal(before: str, after: str) -> bool:
    """Whether a short number with a full stop between these counts a thing: „am 3. Mai“, or begins a list item."""
    words = before.split()
    if words[-2:] == ["I", "am"]:
        return False
    following = _WORD_AFTER.match(after)
    return (
        not words
        or words[-1].casefold() in _BEFORE_ORDINAL
        or (following is not None and following[0].casefold() in MONTHS)
    )


_CLAUSE_END = re.compile(r"[,;:)\]—–](?=\s)|[，、：；）】」』”]|……")


def _cut(text: str, start: int, end: int, limit: int) -> Iterator[tuple[int, int]]:
    """One sentence in parts of at most ``limit`` columns."""
    while (stop := _fitting(text, start, end, limit)) < end:
        middle = start + (stop - start) // 2
        clauses = [found.end() for found in _CLAUSE_END.finditer(text, middle, stop)]
        if clauses:
            stop = clauses[-1]
        elif (space := max(text.rfind(" ", start + 1, stop), text.rfind("\n", start + 1, stop))) > start:
            stop = space
        else:
            stop = _between_characters(text, start, stop)
        last = stop
        while last > start and text[last - 1].isspace():
            last -= 1
        if last > start:
            yield start, last
        start = stop + _space(text, stop)
    if start < end:
        yield start, end


def _fitting(text: str, start: int, end: int, limit: int) -> int:
    """How far one gets within ``limit`` columns."""
    if (end - start) * 2 <= limit:
        return end
    if text[start : min(end, start + limit)].isascii():
        return min(end, start + limit)
    columns = 0
    for at in range(start, end):
        columns += 2 if is_wide(text[at]) else 1
        if columns > limit:
            return at
    return end


def _between_characters(text: str, start: int, stop: int) -> int:
    """The same place or one a little before it, so that no accent or joined emoji is torn from its base."""
    at = stop
    while at > max(start + 1, stop - 16) and (
        unicodedata.category(text[at])[0] == "M" or text[at] == "\u200d" or text[at - 1] == "\u200d"
    ):
        at -= 1
    return at if at > start + 1 else stop


def is_wide(char: str) -> bool:
    """Whether a character takes two columns: Han, kana, hangul, their punctuation, emoji."""
    return unicodedata.east_asian_width(char) in "WF"
