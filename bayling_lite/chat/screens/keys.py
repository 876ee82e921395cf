"""What keys do at the prompt, where it is not what they do in any other program with a line to edit."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from bayling_lite.chat.blocks import opens_block
from bayling_lite.chat.screens.offers import Offers
from bayling_lite.errors import BaylingError
from bayling_lite.terminal import printable


@dataclass(frozen=True, slots=True)
class Flip:
    """The key that reads the last line the other way was pressed."""


@dataclass(frozen=True, slots=True)
class Choose:
    """The key of a version of the draft was pressed."""

    number: int


Entered = str | Flip | Choose
"""What comes from a prompt: a line, or lines, or one of the keys that need no Enter."""


@dataclass(frozen=True, slots=True)
class Actions:
    """What keys need of the chat. ``offers`` says what is offered now, ``keep_draft`` ends the offer of other versions;
    ``edit`` opens a text in the user's editor and gives the new one (None: leave it), ``complain`` shows an error.
    """

    offers: Callable[[], Offers]
    keep_draft: Callable[[], None]
    edit: Callable[[str], str | None]
    complain: Callable[[BaylingError], None]


def key_bindings(actions: Actions) -> KeyBindings:
    """The keys of the prompt."""
    bindings = KeyBindings()
    _add_lines(bindings)
    _add_offers(bindings, actions)
    _add_editor(bindings, actions)
    return bindings


_TYPING = has_focus(DEFAULT_BUFFER)  # and not in the search of the history, which has keys of its own


def _add_lines(bindings: KeyBindings) -> None:
    @bindings.add("enter", filter=_TYPING)
    def _submit(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if opens_block(buffer.text):
            buffer.newline(copy_margin=False)
        else:
            buffer.validate_and_handle()

    @bindings.add("escape", "enter", filter=_TYPING)
    def _newline(event: KeyPressEvent) -> None:
        event.current_buffer.newline(copy_margin=False)

    @bindings.add("c-c", filter=_TYPING)
    def _clear_or_hint(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt, style="class:aborting")

    # What is typed may be no text either: stray bytes, or a paste in a terminal that does not say that it is one.
    @bindings.add(Keys.Any, filter=_TYPING, save_before=lambda event: not event.is_repeat)
    def _insert(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text(printable(event.data) * event.arg)

    @bindings.add(Keys.BracketedPaste)
    def _paste(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text(pasted(event.data))


def pasted(text: str) -> str:
    """A pasted text as it goes into the line: one kind of line break, no control sequences."""
    return printable(re.sub(r"\r\n?", "\n", text))


def _add_offers(bindings: KeyBindings, actions: Actions) -> None:
    @Condition
    def choosing() -> bool:
        return actions.offers().choices > 0

    @Condition
    def flippable() -> bool:
        return bool(actions.offers().flip)

    @Condition
    def empty() -> bool:
        from prompt_toolkit.application import get_app

        return not get_app().current_buffer.text

    def leave(event: KeyPressEvent, entered: Entered) -> None:
        """End the prompt without a trace: what follows says what was done."""
        event.app.erase_when_done = True
        event.app.exit(result=entered)

    @bindings.add("tab", filter=_TYPING & empty & flippable)
    def _flip(event: KeyPressEvent) -> None:
        leave(event, Flip())

    def add_digit(number: int) -> None:
        offered = Condition(lambda: actions.offers().choices >= number)

        @bindings.add(str(number), filter=_TYPING & empty & offered)
        def _choose(event: KeyPressEvent) -> None:
            leave(event, Choose(number))

    for number in range(1, 10):
        add_digit(number)

    # Eager: Esc begins other keys as well (Alt-Enter), for which it would wait a second.
    @bindings.add("escape", filter=_TYPING & empty & choosing, eager=True)
    def _keep(event: KeyPressEvent) -> None:
        actions.keep_draft()
        event.app.invalidate()


def _add_editor(bindings: KeyBindings, actions: Actions) -> None:
    @bindings.add("c-g", filter=_TYPING)
    @bindings.add("c-x", "c-e", filter=_TYPING)
    def _edit(event: KeyPressEvent) -> None:
        buffer = event.current_buffer

        def in_editor() -> str | None:
            try:
                return actions.edit(buffer.text)
            except BaylingError as error:
                actions.complain(error)
                return None

        async def edit() -> None:
            text = await run_in_terminal(in_editor)
            if text is not None:
                buffer.document = Document(text, len(text))

        event.app.create_background_task(edit())
