"""``/model NAME``: the session goes on with another model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import pytest

from bayling_lite.chat.commands import table as commands
from bayling_lite.chat.commands.completing import Known
from bayling_lite.chat.models import FoundModel
from bayling_lite.chat.records.running import RunningSession
from bayling_lite.chat.records.schema import FILE_NAME
from bayling_lite.chat.records.store import SessionStore
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.session import Session
from bayling_lite.cli.chat_models import InstalledModels
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import ModelNotFound, ModelUnreadable
from bayling_lite.languages import find_language
from bayling_lite.settings import Settings
from tests.chat.commands.recorded_chat import RecordedChat, RecordedScreen

EN, ZH = find_language("en"), find_language("zh")


class Lines(RecordedScreen):
    """A screen where nothing is typed while a model loads."""

    has_keys = False


class Shelf:
    """A :class:`~bayling_lite.chat.models.Models` with the engines it is given."""

    def __init__(self, **engines: Callable[[], ScriptedEngine]) -> None:
        self._engines = engines

    def find(self, name: str) -> FoundModel:
        if name not in self._engines:
            raise ModelNotFound(f"There is no model {name}.")
        return FoundModel(f"{name}.Q8_0", self._engines[name])

    def names(self) -> Iterable[tuple[str, str]]:
        return [(name, "") for name in self._engines]


def other(*answers: str, name: str = "other", demonstrator: bool = False) -> Callable[[], ScriptedEngine]:
    info = ModelInfo(name, "bayling", 512, (EN, ZH), demonstrator=demonstrator)
    return lambda: ScriptedEngine(answers, info=info)


def broken() -> ScriptedEngine:
    raise ModelUnreadable("The file is broken.")


def test_the_session_goes_on_with_another_model() -> None:
    with RecordedChat(["Guten Tag."], to="de", screen=Lines(), models=Shelf(other=other("Servus."))) as chat:
        chat.say("Good day to you, my friends.")
        assert chat.say("/model other") == [
            ("notice", "Model: other"),
            ("warning", "other does not know German, only en (English), zh (Chinese). /to zh changes the language."),
        ]
        assert ("answer", "Servus.") in chat.say("more casual")
        assert [turn.answer for turn in chat.session.turns] == ["Guten Tag.", "Servus."]
        assert chat.say("/model")[0] == ("notice", "Model: other")


def test_what_a_model_is_warned_of_is_said_of_the_next_one_too() -> None:
    models = Shelf(
        one=other("Hm.", "Hm.", name="one", demonstrator=True), two=other("Hm.", name="two", demonstrator=True)
    )
    with RecordedChat(screen=Lines(), models=models) as chat:
        chat.say("/model one", "How are you?")
        assert "one was trained to translate, not to chat" in chat.shown("warning")[0]
        chat.say("And now?")
        assert chat.shown("warning") == []
        chat.say("/model two", "How are you?")
        assert "two was trained to translate, not to chat" in chat.shown("warning")[0]


@pytest.mark.parametrize(
    ("line", "message", "status"),
    [("/model nowhere", "There is no model nowhere.", 4), ("/model broken", "The file is broken.", 1)],
)
def test_one_that_cannot_be_had_leaves_the_one_there_is(line: str, message: str, status: int) -> None:
    with RecordedChat(["Hello!"], screen=Lines(), models=Shelf(broken=broken)) as chat:
        assert chat.say(line) == [("error", message)]
        assert chat.driver.status == status
        assert ("answer", "Hello!") in chat.say("Hi")


def test_a_chat_without_other_models_says_so() -> None:
    with RecordedChat() as chat:
        chat.say("/model other")
        assert chat.shown("error") == ["This chat cannot open other models: start it with the one you want."]


def test_where_keys_are_pressed_it_loads_behind_the_prompt() -> None:
    go = threading.Event()

    def open_slowly() -> ScriptedEngine:
        go.wait()
        return other("Hello!")()

    def fail_slowly() -> ScriptedEngine:
        go.wait()
        return broken()

    with RecordedChat(["never", "Hi!"], models=Shelf(other=open_slowly, broken=fail_slowly)) as chat:
        assert chat.say("/model broken") == []
        assert chat.driver.info is None
        chat.driver.look_at_model()
        assert chat.screen.events == []
        threading.Timer(0.05, go.set).start()
        assert chat.say("How are you?") == [("error", "The file is broken.")], "nothing goes to the model left behind"
        assert chat.engine.requests == []
        go.clear()
        chat.say("/model other")
        threading.Timer(0.05, go.set).start()
        assert chat.say("How are you?")[0] == ("notice", "Model: other")
        assert chat.shown("answer") == ["Hello!"]


def test_each_turn_is_kept_with_the_model_that_answered(tmp_path: Path) -> None:
    running = RunningSession(tmp_path, "first", remembered=True)
    with RecordedChat(["Hello!"], screen=Lines(), keeping=running, models=Shelf(other=other("Bye!"))) as chat:
        chat.driver.session = Session(chat.driver.engine, recorder=running.new(Preferences()))
        chat.say("Hi", '/model "other"', "See you")
        with closing(SessionStore.open(tmp_path / FILE_NAME, readonly=True)) as store:
            stored = store.session(store.find(running.id))
        assert [turn.model for turn in stored.turns] == ["first", "other.Q8_0"]
        assert stored.model == "other.Q8_0"
    running.close()


def test_completion_of_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, random_model: Path) -> None:
    folder = tmp_path / "here"
    (folder / "more").mkdir(parents=True)
    for name in ("mine.gguf", "bay.GGUF", "notes.txt"):
        (folder / name).touch()
    monkeypatch.chdir(folder)
    settings = Settings.load()
    settings.models_dir.mkdir(parents=True)
    (settings.models_dir / "bayling-2-7b.Q4_K_M.gguf").write_bytes(random_model.read_bytes())
    known = Known(models=InstalledModels(settings).names)

    def words(line: str) -> list[str]:
        return [word for word, _, _ in commands.completions(line, known)]

    assert words("/model ") == ["bayling-tiny", "bayling-2-7b", "bay.GGUF", "mine.gguf", "more/"]
    assert words("/model BAY") == ["bayling-tiny", "bayling-2-7b"]
    assert words("/model ./m") == ["mine.gguf", "more/"]
    assert commands.completions("/model bayling-t", known) == [("bayling-tiny", "bayling-t", "ships with the package")]
    assert InstalledModels(settings).find("bayling-2-7b").name == "bayling-2-7b.Q4_K_M"
    with pytest.raises(ModelNotFound, match="bayling models pull bayling-2-13b"):
        InstalledModels(settings).find("bayling-2-13b")
