"""Variables and tags in the texts of programs, as codes: ``%s``, ``%(name)s``, ``{0}``, ``$name``, ``<b>``.

Also line breaks, which mean something there, characters of control, and half surrogates, which no model should see.
And the keys that open menus, ``_File`` and ``&File``, which a translation has again in the manner of its language.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Flag, auto
from typing import Self

from bayling_lite.languages import Language
from bayling_lite.translate.formats.entities import readable_entities
from bayling_lite.translate.markup import MOST_CODES, Code, Marked, MarkedBuilder


class Syntax(Flag):
    """Which kinds of variables a text may have."""

    PRINTF = auto()  # %s %-5.2f %1$s %(name)s %{name} %%, and %1 %L1 %n of Qt
    BRACES = auto()  # {} {0} {name!r:>10} {{name}} {count, number} ${name} #{name}
    DOLLAR = auto()  # $name $NAME$ $t(key), but no sum of money
    TAGS = auto()  # <b> </b> <br/> <!-- --> &amp;
    NUMBER_SIGN = auto()  # the # of ICU, in the texts for several cases
    ALL = PRINTF | BRACES | DOLLAR | TAGS


_PATTERNS = {
    Syntax.PRINTF: r"""
        %(?:
            %
          | (?:\([\w.\ -]{1,60}\)|\{[\w.]{1,60}\})(?:[-+\#0]*\d*(?:\.\d+)?[diouxXeEfFgGcrsa])?
          | <[\w.]{1,60}>[-+\#0]*\d*(?:\.\d+)?[diouxXeEfFgGcs]
          | (?:\d{1,2}\$)?[-+\#0']*(?:\*|\d+)?(?:\.(?:\*|\d+)?)?(?:hh|ll|[hlLqjzt])?[diouxXeEfFgGaAcspn@]
          | L?\d{1,2}(?!\w)
          | [-_0^\#]?[A-Za-z](?![A-Za-z0-9])
        )""",
    Syntax.BRACES: r"""
        (?P<many>\{{2,3})[^{}\n]{1,200}\}{2,3}
      | [$#]?\{\s*[\w.$@-]{0,80}(?:\[[^\]{}\n]{0,80}\])?(?:![rsa])?(?::[^{}\n]{0,80})?\s*\}
      | \{\s*[\w.-]{1,80}\s*,\s*(?:number|date|time|spellout|ordinal|duration|list)\s*(?:,[^{}\n]{0,80})?\}""",
    Syntax.DOLLAR: r"""
        \$(?:t\([^()\n]{1,200}\)|[A-Z][A-Z0-9_@]*\$|[A-Za-z_]\w*)
      | (?<!\w)@(?:\.\w+)?:(?:\([\w.]+\)|[A-Za-z_][\w.]*\w)""",
    Syntax.NUMBER_SIGN: r"\#",
    Syntax.TAGS: r"""
        <!--(?:[^-]|-(?!->)){0,300}+-->
      | <(?P<close>/)?(?P<name>[A-Za-z][\w:.-]*)(?:\s[^<>]*)?(?P<alone>/)?>
      | <(?P<number_close>/)?(?P<number>\d{1,3})(?P<number_alone>/)?>
      | &(?:[A-Za-z][A-Za-z0-9]{1,30}|\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6});""",
}
# A code begins with one of these; said first, because that is much faster than to try every kind at every character.
_FIRST = r"(?=[%{$\#@<&\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff])"
_ALWAYS = r"\x1b\[[0-9;]*[A-Za-z]|\r\n|[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]"
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr x".split())  # noqa: SIM905
_PATTERN_OF: dict[Syntax, re.Pattern[str]] = {}


def _pattern(syntax: Syntax) -> re.Pattern[str]:
    if syntax not in _PATTERN_OF:
        kinds = [_ALWAYS, *(pattern for kind, pattern in _PATTERNS.items() if kind in syntax)]
        _PATTERN_OF[syntax] = re.compile(_FIRST + "(?:" + "|".join(f"(?:{kind})" for kind in kinds) + ")", re.VERBOSE)
    return _PATTERN_OF[syntax]


class VariableMarker:
    """Puts a text with variables together, from one run of text or from several with other codes between them."""

    def __init__(self, syntax: Syntax = Syntax.ALL) -> None:
        self.builder = MarkedBuilder()
        self._pattern = _pattern(syntax)
        self._pairs = itertools.count(1)
        self.entities: dict[int, str] = {}  # how the text writes some characters, as for str.translate

    def new_pair(self) -> int:
        """A number for a pair of codes that no other one has."""
        return next(self._pairs)

    def readable(self, text: str) -> Self:
        """Add the whole text, in which entities of letters and marks are characters: see ``entities``.

        Raises:
            ValueError: there are too many codes.
        """
        found = self._found(text)
        ends = [0, *(match.end() for match in found)]
        rest = "".join(text[end : match.start()] for end, match in zip(ends, found, strict=False)) + text[ends[-1] :]
        chars = readable_entities((match[0] for match in found if match[0][0] == "&"), rest)
        self.entities = {ord(char): entity for entity, char in chars.items()}
        return self._add(text, [match for match in found if match[0] not in chars], lambda raw: raw, chars)

    def run(self, text: str, written: Callable[[str], str] = lambda raw: raw) -> Self:
        """Add a run of text; what is variable in it becomes codes, pairs of tags become pairs.

        ``written`` says how the document has a code.

        Raises:
            ValueError: there are too many (65,534) in one text.
        """
        return self._add(text, self._found(text), written, {})

    def _found(self, text: str) -> list[re.Match[str]]:
        found = list(itertools.islice(self._pattern.finditer(text), MOST_CODES + 1))
        if len(found) > MOST_CODES:
            raise ValueError("too many codes in one text")
        return found

    def _add(
        self, text: str, found: list[re.Match[str]], written: Callable[[str], str], chars: Mapping[str, str]
    ) -> Self:
        """Add text with the codes found in it, and between them ``chars`` for entities."""
        pairs = self._paired(found)
        entity = re.compile("|".join(map(re.escape, chars))) if chars else None
        done = 0
        for index, match in enumerate([*found, None]):
            part = text[done : match.start() if match else len(text)]
            self.builder.text(entity.sub(lambda one: chars[one[0]], part) if entity else part)
            if match:
                code = pairs.get(index) or Code("alone", match[0], reads=_reads(match[0]))
                self.builder.code(replace(code, raw=written(code.raw)))
                done = match.end()
        return self

    def _paired(self, found: list[re.Match[str]]) -> dict[int, Code]:
        """The codes of the tags that open and close something in this run."""
        open_: list[tuple[str, int]] = []
        codes: dict[int, Code] = {}
        for index, match in enumerate(found):
            if match[0][0] != "<":
                continue
            groups = match.groupdict()
            name = (groups.get("name") or groups.get("number") or "").casefold()
            alone = groups.get("alone") or groups.get("number_alone") or match[0].endswith("/>")
            if not name or alone or name in _VOID:
                continue
            if not (groups.get("close") or groups.get("number_close")):
                open_.append((name, index))
            elif open_ and open_[-1][0] == name:
                begin = open_.pop()[1]
                pair = self.new_pair()
                codes[begin] = Code("open", found[begin][0], pair)
                codes[index] = Code("close", match[0], pair)
        return codes


def _reads(raw: str) -> str:
    """What a reader sees of a code: nothing of a tag, the character of an entity, else the variable itself."""
    if raw.startswith(("<", "\x1b")):
        return ""
    if raw.startswith("&"):
        return html.unescape(raw)
    if raw == "%%":
        return "%"
    return "\n" if raw in {"\r", "\r\n", "\u2028", "\u2029"} else "\ufffd" if "\ud800" <= raw <= "\udfff" else raw


def mark(text: str, syntax: Syntax = Syntax.ALL) -> Marked:
    """A text with its variables as codes, whose ``raw`` is what stood there.

    Raises:
        ValueError: there are too many (65,534).
    """
    return VariableMarker(syntax).run(text).builder.build()


def has_words(marked: Marked) -> bool:
    """Whether there is anything to translate in a text: a letter that is not in a code."""
    return any(map(str.isalpha, marked.bare))


_MNEMONIC = re.compile(r"(?:^|(?<=[\s(\[\"'])|(?<=[A-Za-z]))([_&~])(?=[^\W_])(?<!~(?=\d))")
_MNEMONIC_AFTER = re.compile(r"\s?\(([_&~])([A-Za-z0-9])\)(?=\W*\Z)")
_LATIN_OWN_KEYS = frozenset("en de fr cs es it pt nl vi".split())  # noqa: SIM905
_MOST_WORDS = 8


@dataclass(frozen=True, slots=True)
class Mnemonic:
    """The key that opens a menu entry: the sign before it, ``_`` or ``&``, and the letter."""

    sign: str
    letter: str


def take_mnemonic(text: str) -> tuple[str, Mnemonic | None]:
    """A label without the sign of its key, and the key; the text itself where there is none.

    ``_File``, ``Save &As…``, ``E_xit``, ``文件(_F)``; but ``foo_bar``, ``R&D``, ``&amp;`` and sentences have none.
    """
    after = _MNEMONIC_AFTER.search(text)
    if after:
        return text[: after.start()] + text[after.end() :], Mnemonic(after[1], after[2])
    found = list(_MNEMONIC.finditer(text))
    sentence = text.endswith((".", ";")) and not text.endswith("...")
    if len(found) != 1 or len(text.split()) > _MOST_WORDS or sentence:
        return text, None
    at, sign = found[0].start(1), found[0][1]
    if text.count(sign) != 1 or re.match(r"&#?\w+;", text[at:]):
        return text, None
    inside = at > 0 and text[at - 1].isalpha()
    if inside:
        word = re.split(r"\s", text[:at])[-1]
        plain = word[:1].isupper() and word[1:].islower() | (len(word) == 1) and text[at + 1].islower()
        if sign == "~" or not plain or len(text.split()) > 3:
            return text, None
    return text[:at] + text[at + 1 :], Mnemonic(sign, text[at + 1])


def with_mnemonic(text: str, mnemonic: Mnemonic, target: Language) -> str:
    """A translated label with the key: before its letter, or after the label in brackets where letters are no keys."""
    letter = mnemonic.letter.casefold()
    places = [at for at, char in enumerate(text) if char.casefold() == letter]
    if places and (target.code in _LATIN_OWN_KEYS or all(map(str.isascii, text))):
        first = next((at for at in places if at == 0 or not text[at - 1].isalnum()), places[0])
        return text[:first] + mnemonic.sign + text[first:]
    if target.code in _LATIN_OWN_KEYS:
        first = next((at for at, char in enumerate(text) if char.isalnum()), 0)
        return text[:first] + mnemonic.sign + text[first:]
    end = len(text.rstrip(" .…:："))
    return f"{text[:end]}({mnemonic.sign}{mnemonic.letter.upper()}){text[end:]}"
