"""What keys do at the prompt, typed into a pipe that prompt-toolkit takes for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from prompt_toolkit import PromptSession
from prompt_toolkit.application import Application, create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from bayling_lite.chat.screens.keys import Actions, Choose, Entered, Flip, key_bindings, pasted
from bayling_lite.chat.screens.offers import Offers
from bayling_lite.errors import BaylingError, UsageError

ENTER, TAB, ESC, CTRL_C, CTRL_D, CTRL_G, CTRL_L = "\r", "\t", "\x1b", "\x03", "\x04", "\x07", "\x0c"


@dataclass
class Chat:
    """What the keys work on here."""

    offers: Offers = field(default_factory=Offers)
    edit: Callable[[str], str | None] = lambda text: text
    errors: list[BaylingError] = field(default_factory=list)

    def keep_draft(self) -> None:
        self.offers = Offers(flip=self.offers.flip)

    def actions(self) -> Actions:
        return Actions(lambda: self.offers, self.keep_draft, lambda text: self.edit(text), self.errors.append)


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        yield pipe


def enter(keys: PipeInput, typed: str, chat: Chat | None = None, **more: Any) -> Entered:
    keys.send_text(typed)
    session: PromptSession[Entered] = PromptSession(
        multiline=True, key_bindings=key_bindings((chat or Chat()).actions()), **more
    )
    session.app.ttimeoutlen = 0.02  # how long an Esc may be the beginning of another key
    return session.prompt()


def test_enter_sends_and_in_a_block_begins_a_line(keys: PipeInput) -> None:
    assert enter(keys, "Hi" + ENTER) == "Hi"
    assert enter(keys, '"""one' + ENTER + "two" + ENTER + '"""' + ENTER) == '"""one\ntwo\n"""'
    assert enter(keys, "one" + ESC + ENTER + "two" + ENTER) == "one\ntwo"


def test_a_paste_is_one_text_without_control_sequences(keys: PipeInput) -> None:
    assert enter(keys, "\x1b[200~one\r\ntwo\r\x1b[31mthree\x07\x1b[201~" + ENTER) == "one\ntwo\nthree"
    assert pasted("a\tb\rc\x9b2Jd\u202ee") == "a\tb\ncde"


def test_what_is_no_text_does_not_get_into_the_line(keys: PipeInput) -> None:
    keys.send_bytes(b"a\xffb\xc2\x9bc\xe2\x80\xaed")
    assert enter(keys, ENTER) == "abcd"
    assert enter(keys, ESC + "3" + "x" + "\x1f" + "y" + ENTER) == "y", "a number repeats a key; Ctrl-_ takes it back"


def test_a_tab_in_a_paste_flips_nothing(keys: PipeInput) -> None:
    assert enter(keys, "\x1b[200~\tindented\x1b[201~" + ENTER, Chat(Offers(flip="a text"))) == "\tindented"


def test_tab_flips_where_nothing_is_typed_and_there_is_another_reading(keys: PipeInput) -> None:
    assert enter(keys, TAB, Chat(Offers(flip="a text to translate"))) == Flip()
    assert enter(keys, "x" + TAB + ENTER, Chat(Offers(flip="a text to translate"))) == "x"
    assert enter(keys, TAB + "x" + ENTER) == "x"


def test_a_digit_chooses_while_there_is_something_to_choose(keys: PipeInput) -> None:
    assert enter(keys, "2", Chat(Offers(choices=3))) == Choose(2)
    assert enter(keys, "4" + ENTER, Chat(Offers(choices=3))) == "4"
    assert enter(keys, "x2" + ENTER, Chat(Offers(choices=3))) == "x2"
    assert enter(keys, "2" + ENTER) == "2"


def test_esc_ends_the_offer(keys: PipeInput) -> None:
    chat = Chat(Offers(choices=3))

    def type_once_it_has_ended(app: Application[Entered]) -> None:
        if not chat.offers.choices:
            app.after_render -= type_once_it_has_ended
            keys.send_text("2" + ENTER)

    session: PromptSession[Entered] = PromptSession(multiline=True, key_bindings=key_bindings(chat.actions()))
    session.app.ttimeoutlen = 0.02
    keys.send_text(ESC)
    session.app.after_render += type_once_it_has_ended
    assert session.prompt() == "2"


def test_ctrl_c_clears_a_line_and_interrupts_on_an_empty_one(keys: PipeInput) -> None:
    assert enter(keys, "not this" + CTRL_C + "this" + ENTER) == "this"
    with pytest.raises(KeyboardInterrupt):
        enter(keys, CTRL_C)
    with pytest.raises(EOFError):
        enter(keys, CTRL_D)


@pytest.mark.parametrize("key", [CTRL_G, "\x18\x05"])
def test_the_editor_gets_the_line_and_gives_it_back(keys: PipeInput, key: str) -> None:
    def edit(text: str) -> str:
        keys.send_text("!" + ENTER)
        return text.upper() + "\nand more"

    assert enter(keys, "draft" + key, Chat(edit=edit)) == "DRAFT\nand more!"


def test_what_goes_wrong_in_the_editor_leaves_the_line(keys: PipeInput) -> None:
    def fail(_text: str) -> str:
        keys.send_text(ENTER)
        raise UsageError("There is no editor.")

    chat = Chat(edit=fail)
    assert enter(keys, "draft" + CTRL_G, chat) == "draft"
    assert [str(error) for error in chat.errors] == ["There is no editor."]


def test_an_editor_that_was_left_without_saving_leaves_the_line(keys: PipeInput) -> None:
    def leave(_text: str) -> None:
        keys.send_text(ENTER)

    assert enter(keys, "draft" + CTRL_G, Chat(edit=leave)) == "draft"
