"""Advanced SubStation Alpha subtitles, ASS and SSA: the texts of the lines of dialogue.

Styles, positions, effects, comments, drawings, and karaoke, whose syllables have times of their own, stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bayling_lite.errors import InputError
from bayling_lite.translate.formats.base import FormatOptions, Source
from bayling_lite.translate.formats.decoding import decode
from bayling_lite.translate.formats.edits import line_of
from bayling_lite.translate.formats.subtitles.cues import Cue, CueDocument, CueSyntax, as_time

_LINE = re.compile(r"[^\r\n]+")
_SECTION = re.compile(r"[ \t\ufeff]*\[([^\]\r\n]*)\]")
_FIELDS = 10  # of a line of dialogue, where no line says which there are
_KARAOKE_OR_DRAWING = re.compile(r"\\(?:[kK][fo]?\d|p[1-9]|kt\d)")
_EFFECTS = frozenset({"karaoke", "fx", "template", "code"})
SYNTAX = CueSyntax(
    tag=re.compile(r"\{\\(?P<name>[ibus])(?:1|(?P<close>0))\}|\{[^{}]*\}|\\h|[♪♫]+"),
    line_break=re.compile(r"\\[Nn][ \t]*"),
    new_line="\\N",
    reads=lambda tag: " " if tag == "\\h" else tag if tag[0] in "♪♫" else "",
    # A brace would begin a tag, and a line break of the file the next line.
    escaped=lambda text: text.replace("{", "(").replace("}", ")"),
)


class AssDocument(CueDocument):
    """ASS or SSA subtitles."""

    def __init__(self, source: Source) -> None:
        decoded = decode(source)
        suffix = ".ssa" if source.name.casefold().endswith(".ssa") else ".ass"
        super().__init__(decoded.text, decoded.form, suffix, SYNTAX)
        self._name = source.name
        for _ in self.cues():
            pass

    def cues(self) -> Iterator[Cue]:
        """The texts of the lines of dialogue, but for karaoke and drawings.

        Raises:
            InputError: there is no section of events, or a line of it is too short.
        """
        section = ""
        n_fields, start_field, effect_field = _FIELDS, 1, 8
        seen = False
        for line in _LINE.finditer(self.text):
            head = _SECTION.match(line[0])
            if head:
                section = head[1].strip().casefold()
                seen = seen or section == "events"
                continue
            key, colon, rest = line[0].partition(":")
            if section != "events" or not colon:
                continue
            if key.strip().casefold() == "format":
                names = [name.strip().casefold() for name in rest.split(",")]
                if "text" not in names or names[-1] != "text":
                    raise InputError(f"{self._name}: the format of the events does not end with Text, as it should.")
                n_fields = len(names)
                start_field = names.index("start") if "start" in names else 0
                effect_field = names.index("effect") if "effect" in names else -1
            elif key.strip().casefold() == "dialogue":
                fields = rest.split(",", n_fields - 1)
                if len(fields) < n_fields:
                    raise InputError(
                        f"{self._name}: line {line_of(self.text, line.start())} is a line of dialogue with "
                        f"{len(fields)} fields, and should have {n_fields}. Repair it, or take it out."
                    )
                body = fields[-1]
                effect = fields[effect_field].strip().casefold() if effect_field >= 0 else ""
                if not _KARAOKE_OR_DRAWING.search(body) and effect.split(" ")[0] not in _EFFECTS:
                    yield Cue(line.end() - len(body), line.end(), as_time(fields[start_field]))
        if not seen:
            raise InputError(f"{self._name} has no section [Events], as ASS and SSA subtitles have.")


def read(source: Source, options: FormatOptions) -> AssDocument:  # noqa: ARG001 - the registry's signature
    """Read ASS or SSA subtitles.

    Raises:
        InputError: it is not text, or not ASS.
    """
    return AssDocument(source)
