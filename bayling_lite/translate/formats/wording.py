"""Telling text from data in the values of JSON and the cells of tables: what a person wrote, and what is for programs.

Not text are numbers, dates, colours, addresses, paths, file names, identifiers, keys and codes. When in doubt about a
single word it is text if it is written as a word is: ``Settings`` and ``Größe`` are, ``maxItems``, ``snake_case`` and
``SHOUTING_CASE`` are not.
"""

from __future__ import annotations

import re

_DATA = re.compile(
    r"""
      [\d\s.,:;+\-*/=%°€$£¥#()\[\]{}<>|&^~_"'!?\\]*            # numbers, sums, marks
    | \d{4}-\d\d?-\d\d?(?:[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?)?  # dates and times
    | (?:[a-z][a-z0-9+.-]*:(?://)?|//|www\.)\S+                # addresses
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+                             # mail
    | \#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})              # colours
    | (?:rgb|hsl)a?\([^()]*\)
    | (?:[a-z]:)?[.~]{0,2}[\\/]\S*                             # paths
    | (?:[\w.@-]+/){2,}[\w.*@{}-]*
    | (?-i:[a-z0-9_.@-]+/[\w.*@{}-]*)
    | [\w-]+(?:\.[\w-]+)+                                      # file names, hosts, versions, dotted keys
    | (?=[0-9a-f-]*\d)[0-9a-f]{7,}(?:-[0-9a-f]+)*              # digests, UUIDs
    | [0-9.]+\s?(?:px|em|rem|pt|ms|s|kb|mb|gb|tb|kg|g|cm|mm|m|km|hz|khz|mhz|ghz|x|%|deg)
    | v?\d+(?:\.\d+)*(?:[-.][a-z0-9]+)*
    | (?:[a-z]{2,3}[-_])?[a-z]{2,4}[-_][a-z]{2}(?:\.utf-?8)?   # locales
    | (?:utf|iso|gb|cp|ascii|latin)-?\d[\w-]*
    | =[-+(]*(?:[a-z.]+\(.*|\$?[a-z]{1,3}\$?\d.*)             # formulas of spreadsheets
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_IDENTIFIER = re.compile(
    r"""
      \S*_\S*                                    # snake_case
    | [\w$]*[a-z\d][A-Z]\w*                      # camelCase, but for names such as iPhone
    | [A-Z]{3,}[a-z]{2,}\w*
    | [A-Z][A-Z0-9\-.:]*\d[A-Z0-9\-.:]*          # A-100
    | [A-Z]{4,}                                  # ENUMERATED; USA and OK are words
    | [a-z0-9]+(?:-[a-z0-9]+)+                   # kebab-case
    | [@$%:.!?*+^|\\/<>=&-]+\S*                  # signs first
    | \S*[=;{}<>\\|\[\]]\S*                      # code
    | [a-z]+(?:[:.][a-z0-9]+)+
    | \S*[a-zA-Z]\d+[a-zA-Z]*\S* | \d+[a-zA-Z]+\S*
    """,
    re.VERBOSE | re.ASCII,
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_=-]{24,}")
_SINGLE_WORD = re.compile(r"\S+")
_LONGEST_DATA = 400


def looks_like_text(value: str) -> bool:
    """Whether a person wrote it for people to read."""
    core = value.strip()
    if not any(map(str.isalpha, core)):
        return False
    if len(core) <= _LONGEST_DATA and _DATA.fullmatch(core):
        return False
    if not core.isascii():
        return True
    if _SINGLE_WORD.fullmatch(core):
        return not (_IDENTIFIER.fullmatch(core[:_LONGEST_DATA]) or _BASE64.fullmatch(core) or _is_keyword(core))
    return not _is_code(core)


def is_data(value: str) -> bool:
    """Whether a value is nothing but a number, a date, an address, a path, a colour or the like, or empty."""
    core = value.strip()
    return not any(map(str.isalpha, core)) or (len(core) <= _LONGEST_DATA and bool(_DATA.fullmatch(core)))


def _is_keyword(word: str) -> bool:
    """A word in small letters alone, of ASCII: ``center``, ``true``, ``bold`` are for programs more often than not."""
    return word.isalpha() and word.islower()


_CODE_LINE = re.compile(
    r"\s*(?:<\?xml|<!DOCTYPE|<svg\b|#!/|\$\s|(?:sudo|cd|npm|pip|git|python3?|node|curl|docker|echo|rm|cp|mkdir)\s+[\w./-]"
    r"|(?:function|const|let|var|import|from|class|def|return|SELECT|INSERT|UPDATE|CREATE)\s+[\w{*(]+.*[;({=:\"'])"
)
_STYLE = re.compile(r"(?:[\w-]+\s*:[^:;]+;\s*)+(?:[\w-]+\s*:[^:;]+)?", re.ASCII)
_WORD = re.compile(r"[^\W\d_]{2,}")
_FLAG = re.compile(r"-{1,2}[\w-]+(?:=\S*)?|[\w.-]+[=:/]\S+|\{\S+\}", re.ASCII)


def _is_code(text: str) -> bool:
    """Several words that are a command, a line of a program or of a style sheet, a path for drawing."""
    head = text[:_LONGEST_DATA]
    if _CODE_LINE.match(head) or all(map(_FLAG.fullmatch, head.split())):
        return True
    if ";" in head and _STYLE.fullmatch(head):
        return True
    return not _WORD.search(head)
