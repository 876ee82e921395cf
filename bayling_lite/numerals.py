"""Chinese numerals: 一百零五 is 105."""

from __future__ import annotations

DIGITS = {
    **{character: value for value, character in enumerate("零一二三四五六七八九")},
    "〇": 0,
    "两": 2,
    "兩": 2,
}
UNITS = {"十": 10, "百": 100, "千": 1000, "廿": 20, "卅": 30}
_MYRIAD, _MYRIADS = frozenset("万萬"), frozenset("亿億")


def chinese_number(text: str) -> int | None:
    """The whole number that a text says, and nothing else; None where it says none.

    ``一亿二千万`` is 120,000,000, ``一万亿`` is 10^12. A unit without a digit counts once: ``十`` is 10.
    """
    if not text:
        return None
    high = total = section = digit = 0
    for character in text:
        if character in DIGITS:
            digit = DIGITS[character]
        elif character in UNITS:
            section += (digit or 1) * UNITS[character]
            digit = 0
        elif character in _MYRIAD:
            total = (total + section + digit or 1) * 10**4
            section = digit = 0
        elif character in _MYRIADS:
            high += (total + section + digit or 1) * 10**8
            total = section = digit = 0
        else:
            return None
    return high + total + section + digit
