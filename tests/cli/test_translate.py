"""``bayling translate`` as a user types it, with a miniature model and with the embedded one."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bayling_lite.cli.progress import counted
from bayling_lite.cli.progress_line import progress_line
from bayling_lite.engine.llama import LlamaEngine
from tests.cli.conftest import Outcome, Translate

ANSWER = "早 good day</"  # of the chain model, to anything
COMMAND = [sys.executable, "-c", "from bayling_lite.cli import main; main()", "translate"]


Run = Translate


@pytest.fixture
def run(chain_model: Path, monkeypatch: pytest.MonkeyPatch, translate: Translate) -> Run:
    """Run the command in this process, in an empty folder, with the miniature model."""
    monkeypatch.setenv("BAYLING_MODEL", str(chain_model))
    return translate


def text_files() -> list[str]:
    return sorted(path.name for path in Path.cwd().iterdir() if path.is_file())


def test_standard_input_to_standard_output(run: Run) -> None:
    outcome = run("--to", "zh", "--from", "en", stdin=b"Good morning.\r\n\r\n  - Hello. 123\r\n")
    assert outcome == Outcome(0, f"{ANSWER}\r\n\r\n  - {ANSWER} 123\r\n".encode(), "")


def test_one_file_goes_to_standard_output(run: Run) -> None:
    Path("letter.en.txt").write_bytes(b"\xef\xbb\xbfHello.\n")
    outcome = run("letter.en.txt", "--to", "zh", "--from", "en")
    assert outcome == Outcome(0, f"\ufeff{ANSWER}\n".encode(), "")
    assert text_files() == ["letter.en.txt"]


def test_one_file_to_a_file(run: Run) -> None:
    Path("a.txt").write_text("Hello.\n")
    assert run("a.txt", "--to", "zh", "--from", "en", "-o", "b.txt") == Outcome(0, b"", "")
    assert Path("b.txt").read_text(encoding="utf-8") == f"{ANSWER}\n"


def test_several_files_go_beside_their_inputs(run: Run) -> None:
    Path("a.txt").write_text("Hello.\n")
    Path("b.en.txt").write_text("Hello. Hello.\n")
    said = "Wrote a.zh.txt\nWrote b.zh.txt\n"
    assert run("a.txt", "b.en.txt", "--to", "zh", "--from", "en") == Outcome(0, b"", said)
    assert text_files() == ["a.txt", "a.zh.txt", "b.en.txt", "b.zh.txt"]


def test_several_files_go_to_a_folder(run: Run) -> None:
    Path("a.txt").write_text("Hello.\n")
    Path("b.txt").write_text("Hello.\n")
    assert run("a.txt", "b.txt", "--to", "zh", "--from", "en", "-o", "new/out/").status == 0
    assert sorted(path.name for path in Path("new/out").iterdir()) == ["a.zh.txt", "b.zh.txt"]


def test_nothing_is_overwritten_without_force(run: Run) -> None:
    Path("a.txt").write_text("Hello.\n")
    Path("b.txt").write_text("old")
    refused = run("a.txt", "--to", "zh", "--from", "en", "-o", "b.txt")
    assert (refused.status, refused.out) == (1, b"")
    assert "--force" in refused.err
    assert Path("b.txt").read_text() == "old"
    assert run("a.txt", "--to", "zh", "--from", "en", "-o", "b.txt", "--force").status == 0
    assert Path("b.txt").read_text(encoding="utf-8") == f"{ANSWER}\n"
    assert run("a.txt", "--to", "zh", "-o", "a.txt", "--force").status == 1
    assert Path("a.txt").read_text() == "Hello.\n"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["missing.txt", "--to", "zh"], 1, "There is no file missing.txt."),
        (["folder", "--to", "zh"], 1, "There is no document to translate in folder."),
        (["binary.bin", "--to", "zh"], 1, "--encoding"),
        (["a.txt", "--to", "xx"], 2, "Unknown language 'xx'. Known: en (English)"),
        (["a.txt", "--to", "zh", "--from", "xx"], 2, "Unknown language 'xx'"),
        (["a.txt", "--to", "zh", "-o", "missing/b.txt"], 1, "cannot be written"),
        (["a.txt", "--to", "zh", "-o", "a.txt/b/"], 1, "cannot be made"),
        (["a.txt", "b.txt", "--to", "zh", "-o", "c.txt"], 2, "-o c.txt/"),
        (["a.txt", "x/../a.txt", "--to", "zh", "-o", "folder/"], 2, "Two inputs"),
        (["-", "--to", "zh", "-o", "folder"], 2, "no name"),
        (["-", "-", "--to", "zh"], 2, "once only"),
        (["a.txt", "--to", "zh", "--term", "token"], 2, "--term token=词元"),
        (["a.txt", "--to", "zh", "--term", "a=b", "--term", "a=c"], 2, "'a' has two translations"),
        (["a.txt", "--to", "zh", "--beam", "0"], 2, "--beam"),
        (["a.txt", "--to", "zh", "--beam", "33"], 2, "1<=x<=32"),
        (["a.txt", "--to", "zh", "--encoding", "klingon"], 2, "Unknown encoding"),
        (["a.txt", "--to", "zh", "--encoding", "utf-16-le"], 1, "is not utf-16-le text"),
        (["a.txt", "--to", "zh", "--model", "missing.gguf"], 4, "There is no file missing.gguf."),
        (["a.txt", "--to", "zh", "--model", "binary.gguf"], 1, "binary.gguf"),
        (["a.txt", "--to", "zh", "--model", "truncated.gguf"], 1, "truncated"),
        (["a.txt", "--to", "zh", "--threads", "0"], 2, "--threads"),
        (["a.txt", "--to", "zh", "--parallel", "0"], 2, "--parallel"),
        (["a.txt", "--to", "zh", "--parallel", "1000"], 2, "from 1 to 128, not 1000"),
        (["a.txt", "--to", "zh", "--gpu-layers", "-1"], 2, "--gpu-layers"),
        (["a.txt", "--to", "zh", "--kv-type", "q4"], 2, "'f16', 'f32', 'q8_0'"),
        (["a.txt", "--to", "zh", "--template", "klingon"], 2, "There is no template 'klingon'"),
        (["\x1b]0;evil\x07.txt", "--to", "zh"], 1, "There is no file .txt."),
    ],
)
def test_bad_input_is_answered_in_a_line(
    run: Run, chain_model: Path, arguments: list[str], status: int, said: str
) -> None:
    Path("a.txt").write_text("Hello")
    Path("b.txt").write_text("Hello.")
    Path("x").mkdir()
    Path("folder").mkdir()
    Path("binary.bin").write_bytes(b"\x7fELF\0\0")
    Path("binary.gguf").write_bytes(b"\x7fELF\0\0")
    Path("truncated.gguf").write_bytes(chain_model.read_bytes()[:-5000])
    before = text_files()
    outcome = run(*arguments)
    assert (outcome.status, outcome.out) == (status, b"")
    assert said in outcome.err
    assert "Traceback" not in outcome.err
    assert "\x1b" not in outcome.err
    assert text_files() == before


def test_the_engine_is_set_up_by_options(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[dict[str, object]] = []
    open_ = LlamaEngine.open

    def spy(path: Path, **options: Any) -> LlamaEngine:
        opened.append(options)
        return open_(path, **options)

    monkeypatch.setattr(LlamaEngine, "open", spy)
    monkeypatch.setenv("BAYLING_PARALLEL", "2")
    flags = ("--kv-type", "q8_0", "--gpu-layers", "0", "--mlock", "--no-mmap", "--ctx", "400", "--threads", "1")
    assert run("--to", "zh", "--from", "en", *flags, stdin=b"Hello. Bye.").out.decode() == f"{ANSWER}{ANSWER}"
    assert run("--to", "zh", "--from", "en", "--template", "bayling-3", stdin=b"Hello.").status == 0
    chosen: dict[str, object] = {
        "n_ctx": 400,
        "n_parallel": 2,
        "n_threads": 1,
        "n_gpu_layers": 0,
        "kv_type": "q8_0",
        "use_mmap": False,
        "use_mlock": True,
    }
    left: dict[str, object] = dict.fromkeys(chosen)
    assert opened == [
        {"template": None, "exact": False} | chosen,
        {"template": "bayling-3", "exact": False} | left | {"n_parallel": 2, "use_mlock": False},
    ]


@pytest.mark.slow
def test_the_log_says_what_the_model_runs_on(chain_model: Path, tmp_path: Path) -> None:
    process = started(
        chain_model, tmp_path, "--to", "zh", "-v", "--parallel", "3", stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    said = process.communicate(b"")[1].decode()
    line = f"{chain_model.stem}: CPU, 1 thread; context 512 tokens, 3 requests at once\n"
    assert line in said
    assert "llama_model_loader" not in said
    process = started(chain_model, tmp_path, "--to", "zh", "-vv", stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert "llama_model_loader" in process.communicate(b"")[1].decode()


def test_no_file_and_a_terminal_says_what_to_do(run: Run) -> None:
    outcome = run("--to", "zh", tty=True)
    assert outcome.status == 2
    assert "name a file, or pipe text in" in outcome.err


def test_empty_input_gives_empty_output_and_says_so(run: Run) -> None:
    assert run("--to", "zh") == Outcome(0, b"", "standard input is empty: there is nothing to translate.\n")
    assert run("--to", "zh", "-q") == Outcome(0, b"", "")


def test_text_in_the_target_language_comes_back(run: Run) -> None:
    outcome = run("--to", "zh", stdin="早上好。\n".encode())
    assert (outcome.status, outcome.out.decode()) == (0, "早上好。\n")
    assert "was taken for Chinese already" in outcome.err
    assert "--from" in outcome.err
    assert "no words" in run("--to", "zh", stdin=b"123\n").err


def test_the_detected_source_can_be_shown(run: Run) -> None:
    stdin = b"Good morning, my dear friend. How are you today?\n"
    assert "source language English (en)" in run("--to", "zh", "--show-detected-source", stdin=stdin).err


def test_an_endless_answer_is_no_translation_and_the_status_says_so(run: Run, endless_model: Path) -> None:
    outcome = run("--to", "zh", "--from", "en", "--model", str(endless_model), stdin=b"Hello.\n")
    assert (outcome.status, outcome.out) == (3, b"Hello.\n")
    assert "1 of 1 segments could not be translated" in outcome.err
    assert "line 1: repetition" in outcome.err


def test_json_lines(run: Run) -> None:
    outcome = run("--to", "zh", "--from", "en", "--json", stdin=b"Hello. 123.\nBye\n")
    lines = [json.loads(line) for line in outcome.out.decode().splitlines()]
    assert [(line["index"], line["source"], line["target"], line["status"]) for line in lines] == [
        (0, "Hello.", ANSWER, "ok"),
        (1, "123.", "123.", "kept"),
        (2, "Bye", ANSWER, "ok"),
    ]
    assert lines[0]["source_language"] == "en"


def test_legacy_encodings(run: Run) -> None:
    text = "早上好。你今天怎么样？我们明天一起去公园吧。"
    Path("a.txt").write_bytes(text.encode("gb18030"))
    guessed = run("a.txt", "--to", "zh")
    assert guessed.out.decode() == text
    assert "read as gb18030" in guessed.err
    assert run("a.txt", "--to", "zh", "--encoding", "gb18030", "-q").out.decode("gb18030") == text


def test_an_encoding_that_cannot_hold_the_translation(run: Run) -> None:
    outcome = run("--to", "zh", "--from", "en", "--encoding", "latin-1", stdin=b"Hello.\n")
    assert outcome.out.decode() == f"{ANSWER}\n"
    assert "written in UTF-8" in outcome.err


def started(model: Path, folder: Path, *arguments: str, **options: object) -> subprocess.Popen[bytes]:
    environment = os.environ | {"BAYLING_MODEL": str(model), "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen([*COMMAND, *arguments], cwd=folder, env=environment, **options)  # type: ignore[call-overload,no-any-return]


@pytest.mark.slow
def test_ctrl_c_leaves_no_half_file(endless_model: Path, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("Hello there, my friend. " * 20_000)
    arguments = ("long.txt", "--to", "zh", "--from", "en", "-o", "out.txt")
    process = started(endless_model, tmp_path, *arguments, "-v", stderr=subprocess.PIPE)
    assert process.stderr is not None
    while b"requests at once" not in process.stderr.readline():  # the model is loaded
        assert process.poll() is None
    time.sleep(0.2)
    # Who holds it too long interrupts nothing twice.
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)
    said = process.communicate(timeout=30)[1].decode()
    assert process.returncode in (130, -signal.SIGINT)  # the latter for one that comes when all is done
    assert said.splitlines()[-1].startswith("Interrupted. ")
    assert said.endswith("bayling translate long.txt --to zh --from en -o out.txt -v\n")
    assert "Traceback" not in said
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["long.txt"]


@pytest.mark.slow
def test_a_reader_that_leaves_is_no_drama(chain_model: Path, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("Hello.\n" * 300)
    process = started(
        chain_model, tmp_path, "long.txt", "--to", "zh", "--from", "en", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    said = process.communicate(timeout=60)[1]
    assert (process.returncode, said) == (1, b"")


def shown_on_terminal(model: Path, folder: Path, *arguments: str) -> str:
    """What the command writes to standard output when that is a terminal."""
    ours, theirs = pty.openpty()
    process = started(model, folder, *arguments, stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that the other end has closed
        while data := os.read(ours, 1000):
            shown += data
    os.close(ours)
    assert process.wait(30) == 0
    return shown.decode().replace("\r\n", "\n")


def test_a_terminal_gets_the_translation_and_whole_lines(chain_model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"Hello.\r\n123\r\nBye")
    assert (
        shown_on_terminal(chain_model, tmp_path, "a.txt", "--to", "zh", "--from", "en") == f"{ANSWER}\n123\n{ANSWER}\n"
    )


HOSTILE = b"\x1b[31mred\x1b]0;evil\x07\x1b[2J\n\xe2\x80\xaeblue\n"


def test_a_terminal_gets_no_control_sequences_a_pipe_gets_all(run: Run, chain_model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(HOSTILE)
    assert shown_on_terminal(chain_model, tmp_path, "a.txt", "--to", "en", "--from", "en") == "red\nblue\n"
    assert run("a.txt", "--to", "en", "--from", "en").out == HOSTILE


def test_progress_line() -> None:
    line = progress_line(counted("a.txt", 3, 12, "segments", 2.0), 60)
    assert line == "a.txt ━━────────   25 %  3 of 12 segments  2.0/s  0:04 left"
    assert progress_line(counted("a.txt", 0, 12, "segments", None), 30) == "a.txt ──────────    0 %"
    line = progress_line(counted("a.txt", 10, 1210, "segments", 1.0), 57)
    assert line == "a.txt ──────────    0 %  10 of 1,210 segments  20:00 left"


# With the embedded model.


Translated = Callable[..., str]


@pytest.fixture
def translated(tiny_model: Path, monkeypatch: pytest.MonkeyPatch, translate: Translate) -> Translated:
    """Translate a text with the embedded model."""
    monkeypatch.setenv("BAYLING_MODEL", str(tiny_model))

    def call(text: str, target: str, *more: str) -> str:
        outcome = translate("--to", target, *more, stdin=text.encode())
        assert outcome.status == 0
        return outcome.out.decode()

    return call


def test_the_embedded_model_translates_to_chinese(translated: Translated) -> None:
    out = translated("Good morning. How are you?\n", "zh")
    letters = [character for character in out if character.isalpha()]
    assert len(re.findall(r"[\u4e00-\u9fff]", out)) >= 0.8 * len(letters) > 0
    assert out.endswith("\n")
    assert out.count("\n") == 1


@pytest.mark.parametrize(("text", "target"), [("Good morning. How are you?\n", "de"), ("I am happy.\n", "fr")])
def test_the_embedded_model_translates_to_german_and_french(translated: Translated, text: str, target: str) -> None:
    out = translated(text, target)
    assert out.strip()
    assert out != text
    assert not re.search(r"[\u4e00-\u9fff]", out)


def test_the_embedded_model_translates_from_chinese(translated: Translated) -> None:
    out = translated("早上好。你好吗？\n", "en")
    assert re.search(r"[A-Za-z]{2}", out)
    assert not re.search(r"[\u4e00-\u9fff]", out)


def test_the_embedded_model_uses_terms(translated: Translated) -> None:
    text = "The house is big. Where is the token?\nA house and a garden.\n"
    terms = ("--term", "house=Gebäude", "--term", "token=Jeton", "--term", "garden=Parkanlage")
    lines = translated(text, "de", *terms).splitlines()
    assert len(lines) == 2
    assert all(word in lines[0] for word in ("Gebäude", "Jeton"))
    assert all(word in lines[1] for word in ("Gebäude", "Parkanlage"))


def test_the_embedded_model_searches(translated: Translated) -> None:
    text = "Good morning. How are you?\n"
    assert translated(text, "de", "--beam", "5").count("\n") == 1
    terms = ("--beam", "6", "--term", "morning=Morgen")
    assert "Morgen" in translated(text, "de", *terms)
