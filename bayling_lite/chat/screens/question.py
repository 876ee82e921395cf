"""A question that one key answers."""

from __future__ import annotations

from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import FormattedTextControl, Layout, Window
from prompt_toolkit.styles import BaseStyle

from bayling_lite.chat.screens.screen import Question
from bayling_lite.localization import _, listed
from bayling_lite.terminal import printable


def choice_lines(question: Question) -> StyleAndTextTuples:
    """A line for each choice."""
    lines: StyleAndTextTuples = []
    for key, meaning in _in_order(question):
        lines += [("class:key", f"  {key}"), ("", f"  {printable(meaning, keep='')}\n")]
    return lines


def keys_text(question: Question) -> str:
    """What stands before the key that is pressed."""
    return _("Press {keys}: ", keys=listed(key for key, _meaning in _in_order(question)))


def _in_order(question: Question) -> tuple[tuple[str, str], ...]:
    """The first choice last: it is the way out."""
    return (*question.choices[1:], question.choices[0])


def read_key(question: Question, style: BaseStyle) -> str:
    """Wait for the key of a choice. Enter, Esc, Ctrl-C and Ctrl-D are the first, which loses nothing."""
    bindings = KeyBindings()
    for key, _meaning in question.choices:

        @bindings.add(key)
        def _answer(event: KeyPressEvent) -> None:
            event.app.exit(result=event.key_sequence[0].key)

    @bindings.add("enter")
    @bindings.add("escape", eager=True)
    @bindings.add("c-c")
    @bindings.add("c-d")
    @bindings.add("<sigint>")
    def _first(event: KeyPressEvent) -> None:
        event.app.exit(result=question.choices[0][0])

    control = FormattedTextControl([("class:prompt", keys_text(question))], show_cursor=True, focusable=True)
    app: Application[str] = Application(
        layout=Layout(Window(control, height=1)),
        key_bindings=bindings,
        style=style,
        include_default_pygments_style=False,
        erase_when_done=True,
    )
    return app.run()
