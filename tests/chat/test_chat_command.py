"""The command itself, as a program: streams, exit statuses, and what it does not import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

# Its prompt opens a thought.
THINKS = (
    "{{ bos_token }}{% for message in messages %}{{ message['content'] }}{% endfor %}{{ '<think>\n' }}{# </think> #}"
)
ROOT = Path(__file__).resolve().parents[2]
CHAT = (sys.executable, "-c", "from bayling_lite.cli import chat_main; chat_main()")


def run(*arguments: str, text: str | None = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CHAT, *arguments],
        input=text,
        stdin=None if text is not None else subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        check=False,
        timeout=120,
    )


def sessions(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bayling_lite.cli", "sessions", *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", cwd=ROOT, check=False, timeout=120)


def test_lines_in_answers_out(chain_model: Path) -> None:
    done = run("--model", str(chain_model), text="Hi\n/model\n")
    assert (done.returncode, done.stdout) == (0, "早 good day</\n")
    assert f"Model: {chain_model.stem}\nPrompt template: bayling. Context: 512 tokens.\n" in done.stderr
    assert "Runs on: CPU, 1 thread\n" in done.stderr


@pytest.mark.slow
def test_a_word_that_is_asked_for_is_in_the_next_draft(tiny_model: Path) -> None:
    asked = {
        "use Kannst du": "Kannst du",
        "use Können Sie": "Können Sie",
        'use "Könnt ihr"': "Könnt ihr",
        "mich should be uns": "uns",
        "sehen durch erkennen ersetzen": "erkennen",
    }
    text = "".join(f"Can you see me?\n{line}\n" for line in asked)
    done = run("--model", str(tiny_model), "--to", "de", "--from", "en", text=text)
    answers = done.stdout.splitlines()
    assert len(answers) == 2 * len(asked)
    assert [word for word, answer in zip(asked.values(), answers[1::2], strict=True) if word not in answer] == []
    assert "did not follow" not in done.stderr


@pytest.mark.slow
def test_a_thought_without_an_answer_is_a_failure(endless_model: Path, tmp_path: Path) -> None:
    template = tmp_path / "thinks.jinja"
    template.write_text(THINKS)
    command = ("--model", str(endless_model), "--template", str(template), "--ctx", "128")
    done = run(*command, "--prompt", "Hi")
    assert (done.returncode, done.stdout) == (1, "")
    assert "thought until its room was used up, and gave no answer" in done.stderr
    assert "--ctx" in done.stderr
    done = run(*command, text="Hi\n/stats\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Turns: 0. Context of the next: 0 of 128" in done.stderr
    done = run(*command, "--to", "de", "--from", "en", "--prompt", "Good morning.")
    assert (done.returncode, done.stdout) == (3, "Good morning.\n")
    assert "1 of 1 sentences could not be translated" in done.stderr


@pytest.mark.slow
def test_a_context_longer_than_the_training_is_warned_of(chain_model: Path) -> None:
    command = ("--model", str(chain_model), "--prompt", "Hi", "--ctx", "1024")
    warned = run(*command)
    assert warned.returncode == 0
    assert f"Warning: {chain_model.stem} was trained with 512 tokens of context: with 1024" in warned.stderr
    assert run(*command, "-q").stderr == ""
    assert "Warning" not in run(*command[:-1], "512").stderr


@pytest.mark.slow
def test_one_shot_in_translation_mode(chain_model: Path) -> None:
    done = run("--model", str(chain_model), "--to", "de", "--from", "en", "--prompt", "Good morning.")
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "早 good day</\n",
        "Translating from English into German.\n",
    )


@pytest.mark.slow
def test_an_answer_is_the_same_for_the_same_seed(random_model: Path) -> None:
    first, again, other = (
        run("--model", str(random_model), "--prompt", "Hi", "--seed", seed, "-q").stdout for seed in ("1", "1", "2")
    )
    assert first == again != other


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--model", "./nowhere.gguf"), 4, "There is no file"),
        (("--model", "pyproject.toml"), 1, "is not a GGUF model file"),
        (("--to", "klingon"), 2, "Unknown language 'klingon'"),
        (("--temperature", "-1"), 2, "temperature"),
        (("--parallel", "129"), 2, "from 1 to 128"),
        (("--lang", "klingon"), 2, "speaks English (en) and Simplified Chinese (zh)"),
        (("--new", "--continue"), 2, "choose one"),
        (("--continue",), 2, "none is kept yet"),
        (("--continue=",), 2, "id is empty"),
        (("--term", "token"), 2, "--term wants SOURCE=TARGET"),
        (("--glossary", "pyproject.toml"), 2, "--glossary needs the language"),
        (("--context", "@nowhere.txt", "--to", "de"), 1, "nowhere.txt cannot be read"),
    ],
)
def test_what_cannot_be_is_said_on_stderr(arguments: tuple[str, ...], status: int, message: str) -> None:
    done = run(*arguments, "--prompt", "Hi")
    assert (done.returncode, done.stdout) == (status, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_text_that_does_not_fit_says_by_how_much(chain_model: Path) -> None:
    done = run("--model", str(chain_model), "--prompt", "good day " * 400)
    assert (done.returncode, done.stdout) == (1, "")
    assert "That does not fit" in done.stderr
    assert "the context holds 512" in done.stderr


@pytest.mark.slow
def test_another_model_goes_on_with_the_session(tiny_model: Path, morning_model: Path) -> None:
    question, models = "Can you see me?", (str(morning_model), "nowhere", "bayling-tiny")
    text = "{0}\n/model {1}\nmore formal\n/model {2}\n/model {3}\n/new {0}\n".format(question, *models)
    done = run("--model", str(tiny_model), "--to", "de", "--from", "en", "--store", text=text)
    assert (done.returncode, done.stdout.splitlines()) == (4, ["Kannst du mich sehen?", "早", "Kannst du mich sehen?"])
    assert f"Model: {morning_model.stem}\n" in done.stderr
    assert "Error: There is no model 'nowhere'. Here: bayling-tiny" in done.stderr
    turns = json.loads(sessions("export", "--all", "--format", "json").stdout)["sessions"][0]["turns"]
    assert [turn["model"] for turn in turns] == [tiny_model.stem, morning_model.stem, tiny_model.stem]


@pytest.mark.slow
def test_a_bad_byte_is_named(chain_model: Path) -> None:
    command = [*CHAT, "--model", str(chain_model)]
    done = subprocess.run(command, input=b"Hi\n\xff\n", capture_output=True, cwd=ROOT, check=False, timeout=120)
    assert done.returncode == 1
    assert b"Line 2 of the input is not UTF-8" in done.stderr


@pytest.mark.slow
def test_a_script_leaves_no_session_behind_unless_it_says_so(chain_model: Path, tmp_path: Path) -> None:
    model, saved = ("--model", str(chain_model)), tmp_path / "all.json"
    assert run(*model, "--prompt", "Hi").returncode == 0
    assert sessions("list").stdout == ""
    first = run(*model, "--prompt", "Hi", "--store", "--system", "Be kind.", "--json")
    answer = json.loads(first.stdout)
    assert (answer["type"], answer["text"], first.stderr) == ("answer", "早 good day</", "")
    assert answer["session"] in sessions("list").stdout
    second = run(*model, "--continue", "--json", text=f"/system\n/save {saved}\nHo\n/stats\n")
    said = [json.loads(line) for line in second.stdout.splitlines()]
    assert {line["session"] for line in said if line["type"] == "answer"} == {answer["session"]}
    assert json.loads(run(*model, "--prompt", "Hi", "--json").stdout)["session"] is None
    assert [line["text"] for line in said if line["type"] == "notice"][-2].startswith("Turns: 2.")
    assert any("Be kind." in line["text"] for line in said)
    loaded = run(*model, "--json", text=f"/load {saved}\n/stats\n")
    assert "Turns: 1." in loaded.stdout
    again = run(*model, "--continue", answer["session"][:6], "--no-store", "--prompt", "And so on")
    assert again.returncode == 0
    assert (
        len(json.loads(sessions("export", answer["session"], "--format", "json").stdout)["sessions"][0]["turns"]) == 2
    )


@pytest.mark.slow
def test_sessions_are_exported_by_their_ids(chain_model: Path, tmp_path: Path) -> None:
    model = ("--model", str(chain_model), "--store", "-q")
    run(*model, "--prompt", "# Hi\n<b>")
    run(*model, "--to", "de", "--from", "en", "--prompt", "Good morning.")
    both = sessions("export", "--all")
    assert (both.returncode, both.stdout.count("\n# "), both.stderr) == (0, 1, "Markdown, 2 turns.\n")
    assert "> \\# Hi\\\n> \\<b\\>" in both.stdout
    file = tmp_path / "mine.tmx"
    assert sessions("export", "--all", "-o", str(file)).stderr == f"{file}: TMX, 1 translation.\n"
    refused = sessions("export", "--all", "-o", str(file))
    assert (refused.returncode, "--force overwrites it" in refused.stderr) == (1, True)
    assert sessions("export", "--all", "-o", str(file), "--force", "-q").stderr == ""
    told = sessions("export", "--all", "-o", str(tmp_path / "mine.jsonl"))
    assert "1 dialogue; it holds your text" in told.stderr
    assert sessions("export").returncode == 2
    assert "There is no session ffff" in sessions("export", "ffff").stderr


def test_the_text_of_standard_input_is_answered_as_it_is(chain_model: Path) -> None:
    done = run("--model", str(chain_model), "--prompt", "-", text="/bye\nGood morning.\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "早 good day</\n", "")
    done = run("--model", str(chain_model), "--prompt", "-", text=" \n")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nothing to answer" in done.stderr


@pytest.mark.slow
def test_what_is_in_force_can_be_said_on_the_command_line(chain_model: Path, tmp_path: Path) -> None:
    glossary = tmp_path / "terms.tsv"
    glossary.write_text("token\t记号\nmodel\t模型\n", encoding="utf-8")
    options = ("--to", "zh", "--term", "token=词元", "--glossary", str(glossary), "--formality", "formal")
    done = run("--model", str(chain_model), *options, "--style", "plain", text="/use\n/formality\n/style\n")
    assert (done.returncode, done.stdout) == (0, "")
    assert "token → 词元\n2 terms of" in done.stderr
    assert "Formality: formal\nStyle: plain\n" in done.stderr


def test_a_program_is_told_of_a_model_that_cannot_be_opened(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(100))
    done = run("--model", str(broken), "--json", text="Hi\n")
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["error"] == "ModelUnreadable"


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom bayling_lite.cli import chat_main\n"
        "try:\n    chat_main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'llama_cpp', 'torch', 'prompt_toolkit', 'numpy', 'sqlite3'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--to, --target-lang LANG" in done.stdout
