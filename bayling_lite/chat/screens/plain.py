"""The chat as linear text: for pipes and scripts, for screen readers, and for terminals that can do nothing.

Only answers go to the first stream, one after the other; all else goes to the other. Nothing moves a cursor, nothing is
coloured, and what a mark or an arrow says elsewhere is said in words. For a person who listens (``announced``), answers
are announced and come in whole sentences, since a screen reader reads each write by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO

from bayling_lite.chat.differences import Change
from bayling_lite.chat.remarks import language_name
from bayling_lite.chat.screens.changes import space_shown
from bayling_lite.chat.session.turns import Kind, Plan, Turn
from bayling_lite.errors import BaylingError, UsageError
from bayling_lite.localization import _
from bayling_lite.terminal import PrintableStream, printable

if TYPE_CHECKING:
    from bayling_lite.chat.screens.screen import Question
    from bayling_lite.languages import Language

# Where a sentence ends, so that what follows can wait for its own end.
_SENTENCE_END = re.compile(r"\n|[。！？…]+[”’」』）]?|[.!?]+[\"'”’»)]*\s")


class PlainScreen:
    """Answers on one stream, everything else on another; what may reach a terminal is made safe.

    Args:
        answers: gets the answers, unchanged where it is no terminal.
        notices: gets everything else.
        quiet: leaves out what is only information.
        announced: says before each answer what it is, and gives it sentence by sentence.
        read: gives the answer to a question, None at the end of the input; without it nobody can be asked, or edit.
    """

    has_keys = False

    def __init__(
        self,
        answers: TextIO,
        notices: TextIO,
        *,
        quiet: bool = False,
        announced: bool = False,
        read: Callable[[], str | None] | None = None,
    ) -> None:
        self._answers = answers
        self._notices = notices
        self._quiet = quiet
        self._announced = announced
        self._read = read
        self._safe = PrintableStream() if answers.isatty() else None
        self._held = ""  # the beginning of a sentence
        self._shown = False

    @property
    def asks(self) -> bool:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        return self._read is not None

    def choice(self, plan: Plan, other: str) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        if text := choice_text(plan, other):
            self.notice(text)

    def begin_answer(self, plan: Plan) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        self._shown = False
        if self._announced:
            self._say(answer_label(plan))

    def piece(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        self._shown = self._shown or bool(text)
        safe = self._safe.feed(text) if self._safe is not None else text
        if not self._announced:
            self._give(safe)
            return
        self._held += safe
        ends = [found.end() for found in _SENTENCE_END.finditer(self._held)]
        if ends:
            self._give(self._held[: ends[-1]])
            self._held = self._held[ends[-1] :]

    def end_answer(self, turn: Turn | None) -> None:  # noqa: ARG002 - the answer has been shown
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        rest, self._held = self._held + (self._safe.flush() if self._safe is not None else ""), ""
        if self._shown:
            self._give(rest + "\n")

    def notice(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        if not self._quiet:
            self._say(text)

    def warning(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        self._say(_("Warning: {text}", text=text) if self._announced else text)

    def error(self, error: BaylingError, text: str) -> None:  # noqa: ARG002 - the text says it
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        self._say(_("Error: {text}", text=text))

    def changes(self, changes: Sequence[Change]) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        for line in change_lines(changes):
            self.notice(line)

    def alternatives(self, texts: Sequence[str]) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`. They are answers, too."""
        for number, text in enumerate(texts, start=1):
            self._give(f"{number}: {printable(text) if self._safe is not None else text}\n")
        if self._announced:
            self._say(_("Type a number to take one; any other line keeps the draft."))

    def ask(self, question: Question) -> str:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`. What is no choice is asked again."""
        keys = [key for key, _meaning in question.choices]
        if self._read is None:
            return keys[0]
        self._say(question.text)
        while True:
            for key, meaning in question.choices:
                self._say(_("Type {key} to choose: {meaning}", key=key, meaning=meaning))
            line = self._read()
            if line is None or not line.strip():
                return keys[0]
            chosen = line.strip().casefold()
            for key, meaning in question.choices:
                if chosen in (key, meaning.casefold()):
                    return key
            self._say(_("That is none of the choices."))

    def edit(self, text: str) -> str | None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        if self._read is None:
            raise UsageError(_("There is nobody here to edit it: /edit TEXT sets the draft."))
        from bayling_lite.chat.screens import editor

        return editor.edit(text)

    def prompt(self, text: str) -> None:
        """Ask for a line."""
        print(text, end="", file=self._notices, flush=True)

    def _say(self, text: str) -> None:
        print(printable(text), file=self._notices, flush=True)

    def _give(self, text: str) -> None:
        self._answers.write(text)
        self._answers.flush()


def choice_text(plan: Plan, other: str) -> str:
    """How a line was understood, in words; empty where nothing was chosen, or where what comes speaks for itself."""
    if plan.kind is Kind.TRANSLATION:
        text = _translation_text(plan.source, plan.target)
        hint = _("If it was {other}: /refine", other=other)
    elif plan.kind is Kind.REFINEMENT:
        text = (
            _(
                "Changing the {language} draft: {instruction}",
                language=language_name(plan.target),
                instruction=plan.sent,
            )
            if plan.target is not None
            else _("Changing the draft: {instruction}", instruction=plan.sent)
        )
        hint = _("If it was {other}: /new", other=other)
    else:
        return ""
    return f"{text}\n{hint}" if other else text


def _translation_text(source: Language | None, target: Language | None) -> str:
    if target is None:
        return _("Translating.")
    if source is None:
        return _("Translating into {language}.", language=language_name(target))
    return _("Translating from {source} into {language}.", source=language_name(source), language=language_name(target))


def answer_label(plan: Plan) -> str:
    """What the coming answer is."""
    if plan.kind is Kind.BACK:
        return _("Translated back:")
    if plan.kind is Kind.EXPLANATION:
        return _("Explanation:")
    if plan.kind is Kind.CHAT:
        return _("Answer:")
    return _("New draft:") if plan.kind in (Kind.REFINEMENT, Kind.EDIT) else _("Draft:")


def change_lines(changes: Sequence[Change]) -> tuple[str, ...]:
    """What was changed, a line for each place: what stood there and what stands there now."""
    lines: list[str] = []
    removed = ""
    for change in (*changes, Change("kept", "")):
        text = " ".join(space_shown(change.text).split())
        if change.kind == "removed":
            removed = f"{removed} {text}".strip()
            continue
        if change.kind == "added" and text:
            lines.append(
                _("Changed: “{before}” to “{after}”", before=removed, after=text)
                if removed
                else _("Added: “{text}”", text=text)
            )
        elif removed:
            lines.append(_("Removed: “{text}”", text=removed))
        removed = ""
    return tuple(lines)
