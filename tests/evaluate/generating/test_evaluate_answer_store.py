"""The answer store: what is kept under which key, by several at once, and what is not a store."""

from __future__ import annotations

import sqlite3
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from bayling_lite.engine.base import GenerationRequest, ModelInfo
from bayling_lite.errors import InputError, OutputError, UsageError
from bayling_lite.evaluate.generating import AnswerStore
from bayling_lite.evaluate.generating.keys import answer_key
from bayling_lite.evaluate.generating.store import StoredAnswer
from bayling_lite.evaluate.values import Decoding
from bayling_lite.messages import Conversation

SAID = StoredAnswer("said", "stop", 7, 3)
MODEL = ModelInfo(name="model.gguf", template="bayling", n_ctx=512, n_parallel=2, fingerprint="f1", can_search=True)
ASKED = Conversation().user("Say something.")


def test_who_keeps_first_decides(tmp_path: Path) -> None:
    with AnswerStore(tmp_path / "a.sqlite") as one, AnswerStore(tmp_path / "a.sqlite") as other:
        assert one.get("k", 512) is None
        assert one.keep("k", SAID)
        assert not other.keep("k", replace(SAID, text="said otherwise"))
        assert one.get("k", 512) == other.get("k", 99) == SAID
        assert one.count() == other.count() == 1


def test_one_that_the_context_cut_off_belongs_to_that_context() -> None:
    with AnswerStore(None) as store:
        assert store.keep("k", replace(SAID, finish_reason="length", n_ctx=100))
        assert store.keep("k", replace(SAID, finish_reason="length", n_ctx=200, text="said more"))
        assert store.get("k", 300) is None
        shorter, longer = store.get("k", 100), store.get("k", 200)
        assert shorter is not None
        assert longer is not None
        assert (shorter.text, shorter.finish_reason, longer.text) == ("said", "length", "said more")


@pytest.mark.parametrize("text", ["", " \n", "\ud800 and \udfff", "\x00", "\u2028", "\ufeffa", "早" * 10_000])
def test_any_text_comes_back_as_it_was(tmp_path: Path, text: str) -> None:
    with AnswerStore(tmp_path / "a.sqlite") as store:
        store.keep("k", replace(SAID, text=text))
    with AnswerStore(tmp_path / "a.sqlite") as store:
        assert store.get("k", 1) == replace(SAID, text=text)


def test_many_threads_at_once(tmp_path: Path) -> None:
    with AnswerStore(tmp_path / "a.sqlite") as store:
        first: list[list[bool]] = [[] for _ in range(8)]

        def keep(number: int) -> None:
            first[number] = [store.keep(f"{n}", replace(SAID, text=f"{number}")) for n in range(50)]

        threads = [threading.Thread(target=keep, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.count() == 50
        for n in range(50):
            kept = store.get(f"{n}", 1)
            assert kept is not None
            # Exactly one was told that its answer is the one, and it is.
            assert [number for number in range(8) if first[number][n]] == [int(kept.text)]


def test_it_is_private_and_its_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "evaluation" / "answers.sqlite"
    with AnswerStore(path) as store:
        store.keep("k", SAID)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database " * 100)
    with pytest.raises(InputError, match=r"damaged, or no answer store.*--out.*asked again"):
        AnswerStore(tmp_path / "text")
    connection = sqlite3.connect(tmp_path / "other")
    connection.execute("CREATE TABLE things (name TEXT)")
    connection.close()
    with pytest.raises(InputError, match="another program"):
        AnswerStore(tmp_path / "other")
    with pytest.raises(OutputError, match="folder"):
        AnswerStore(tmp_path)


def test_a_closed_store() -> None:
    store = AnswerStore(None)
    store.close()
    store.close()
    with pytest.raises(UsageError, match="answer store was closed"):
        store.get("k", 1)


def request(
    conversation: Conversation = ASKED, *, beam: int = 1, temperature: float = 0.0, seed: int = 0, **more: int
) -> GenerationRequest:
    decoding = Decoding(max_tokens=more.get("max_tokens", 100), beam_size=beam, temperature=temperature)
    return decoding.request(conversation, seed=seed)


def test_the_key_is_all_that_an_answer_depends_on_and_nothing_else() -> None:
    key = answer_key(MODEL, request())
    unnamed = replace(MODEL, fingerprint="")
    different = [
        answer_key(replace(MODEL, fingerprint="f2"), request()),
        answer_key(replace(MODEL, template="llama-3"), request()),
        answer_key(replace(MODEL, exact=True), request()),
        answer_key(replace(MODEL, kv_type="f32"), request()),
        answer_key(unnamed, request()),
        answer_key(replace(unnamed, name="other"), request()),
        answer_key(replace(unnamed, name="f1"), request()),
        answer_key(MODEL, request(ASKED.assistant("What?").user("Say something."))),
        answer_key(MODEL, request(Conversation().user("Say something. "))),
        answer_key(MODEL, request(Conversation().user("Say something.").with_system("You are."))),
        answer_key(MODEL, request(Conversation().user("Say something.\ud800"))),
        answer_key(MODEL, request(beam=5)),
        answer_key(MODEL, request(beam=4)),
        answer_key(MODEL, request(max_tokens=99)),
        answer_key(MODEL, request(temperature=0.7)),
        answer_key(MODEL, request(temperature=0.7, seed=1)),
        answer_key(MODEL, request(temperature=0.8)),
        answer_key(MODEL, Decoding(max_tokens=100, beam_size=5).request(ASKED, seed=0, required=("a", "b"))),
        answer_key(MODEL, Decoding(max_tokens=100, beam_size=5).request(ASKED, seed=0, required=("b", "a"))),
    ]
    assert len({key, *different}) == len(different) + 1
    same = [
        answer_key(replace(MODEL, name="renamed.gguf", n_ctx=99, device="a graphics card", n_parallel=9), request()),
        answer_key(MODEL, request(seed=5)),
        # What an engine cannot do is not asked of it.
        answer_key(MODEL, Decoding(max_tokens=100, beam_size=5).request(ASKED, seed=0, required=("a",), search=False)),
    ]
    assert {key} == set(same)


def test_the_key_stays_what_it_was() -> None:
    # Written down, so that answers that were kept are found by later versions.
    assert answer_key(MODEL, request()).startswith("009e7fdb72d451ba")
    assert answer_key(MODEL, request(beam=5)).startswith("cf81a625d8d2b673")
