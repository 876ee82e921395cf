"""``bayling dialogues`` as a user types it."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import pty
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bayling_lite.cli import main
from tests.dialogues.conftest import sentences

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
# The same command, with small chunks, each put on record: a small corpus is then like a large one.
CODE = """
import bayling_finetune.dialogues.building as building, bayling_finetune.dialogues.output as output
from bayling_lite.cli import main
building.CHUNK, output._SECONDS_BETWEEN_STATES = 10, 0.0
main()
"""
COMMAND = [sys.executable, "-c", CODE, "dialogues", "build"]
KINDS = "translation=1,correction=1,replacement=1"
EVERY = f"{KINDS},constraint=1,grammar=1,formality=1,length=1,style=1,conversation=1"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, with a file of 180 pairs."""
    monkeypatch.chdir(tmp_path)
    text = "".join(f"{english}\t{german}\n" for english, german, _ in sentences())
    (tmp_path / "made-up.en-de.tsv").write_text(text, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (ROOT, ROOT / "convert", ROOT / "finetune"))))
    return tmp_path


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run ``bayling dialogues`` in this process: exit status, standard output, standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as exited:
            main(["dialogues", *arguments])
        assert isinstance(exited.value.code, int)
        return (exited.value.code, *capfd.readouterr())

    return call


def build(*arguments: str, processes: int = 1, file_limit: int = 0) -> subprocess.CompletedProcess[str]:
    def limited() -> None:
        if file_limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))

    words = [*COMMAND, "made-up.en-de.tsv", "--kinds", KINDS, "--processes", str(processes), *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=False, preexec_fn=limited)


def started(*arguments: str, processes: int = 2) -> subprocess.Popen[str]:
    words = [*COMMAND, "made-up.en-de.tsv", "--kinds", KINDS, "--processes", str(processes), *arguments]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.002)


def test_a_build_says_what_it_did_and_prints_what_it_wrote(run: Run) -> None:
    status, out, err = run("build", "made-up.en-de.tsv", "-o", "out.jsonl", "--kinds", KINDS, "--processes", "1")
    assert status == 0
    assert out == "out.jsonl\nout.report.html\nout.report.json\n"
    assert "from 180 of 180 pairs" in err
    assert "translation 360" in err
    figures = json.loads(Path("out.report.json").read_bytes())
    assert figures["command"] == f"bayling dialogues build made-up.en-de.tsv -o out.jsonl --kinds {KINDS} --processes 1"
    assert figures["inputs"][0]["languages"] == "en-de"
    lines = [json.loads(line) for line in Path("out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == figures["statistics"]["dialogues"]
    assert {line["kind"] for line in lines} == {"translation", "correction", "replacement"}
    names = ["made-up.en-de.tsv", "out.jsonl", "out.report.html", "out.report.json"]
    assert sorted(path.name for path in Path.cwd().iterdir()) == names


def test_processes_and_hash_seeds_do_not_change_a_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    for processes in (1, 2):
        monkeypatch.setenv("PYTHONHASHSEED", str(processes))
        done = build("-o", f"{processes}.jsonl", "--no-report", "-q", "--kinds", EVERY, processes=processes)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{processes}.jsonl\n", "")
    assert Path("1.jsonl").read_bytes() == Path("2.jsonl").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_killed_at_any_instant_the_same_command_ends_with_the_same_bytes(name: str) -> None:
    assert build("-o", f"straight-{name}", "--no-report").returncode == 0
    expected = Path(f"straight-{name}").read_bytes()
    part = Path(f".{name}.work/dialogues.part")
    for share in (0.0, 0.3, 0.6, 0.9):
        process = started("-o", name)
        children: list[int] = []

        def far_enough(share: float = share, process: subprocess.Popen[str] = process) -> bool:
            assert process.poll() is None, process.communicate()
            return part.exists() and part.stat().st_size >= share * len(expected)

        wait_for(far_enough)
        children = descendants(process.pid)
        process.kill()
        process.communicate()
        assert not Path(name).exists()
        wait_for(lambda children=children: not any(map(alive, children)))  # type: ignore[misc]
    done = build("-o", name)
    assert done.returncode == 0
    assert Path(name).read_bytes() == expected
    assert not part.parent.exists()


def descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[-1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on() -> None:
    process = started("-o", "out.jsonl")
    part = Path(".out.jsonl.work/dialogues.part")
    wait_for(lambda: part.exists() and part.stat().st_size > 0)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == (
        "Interrupted. What is finished is kept; go on with: bayling dialogues build made-up.en-de.tsv "
        f"--kinds {KINDS} --processes 2 -o out.jsonl"
    )
    assert not Path("out.jsonl").exists()
    state = json.loads(Path(".out.jsonl.work/state.json").read_bytes())
    assert state["chunks"] > 0
    assert build("-o", "out.jsonl").returncode == 0
    assert build("-o", "whole.jsonl").returncode == 0
    assert Path("out.jsonl").read_bytes() == Path("whole.jsonl").read_bytes()


def test_a_full_disk_is_said_and_what_is_finished_is_kept() -> None:
    assert build("-o", "whole.jsonl", "--no-report").returncode == 0
    expected = Path("whole.jsonl").read_bytes()
    # The language check unpacks a larger model of its own.
    unchecked = ("--no-language-check", "-o", "out.jsonl")
    full = build(*unchecked, file_limit=len(expected) // 2)
    assert full.returncode == 1
    assert full.stdout == ""
    assert "Error: out.jsonl cannot be written: File too large. What is finished is kept: make room" in full.stderr
    assert "Traceback" not in full.stderr
    assert not Path("out.jsonl").exists()
    assert json.loads(Path(".out.jsonl.work/state.json").read_bytes())["chunks"] > 0
    assert build(*unchecked).returncode == 0
    assert Path("out.jsonl").read_bytes() == expected


@pytest.mark.slow
def test_two_builds_at_once_into_one_output() -> None:
    first = started("-o", "out.jsonl")
    wait_for(Path(".out.jsonl.work/lock").exists)
    second = build("-o", "out.jsonl")
    assert second.returncode == 1
    assert "Another process is just building out.jsonl" in second.stderr
    _, err = first.communicate(timeout=120)
    assert first.returncode == 0, err
    assert build("-o", "other.jsonl").returncode == 0
    assert Path("out.jsonl").read_bytes() == Path("other.jsonl").read_bytes()


def test_sentences_of_a_test_set_are_refused_unless_told_otherwise(run: Run) -> None:
    Path("test.txt").write_text("\n".join(english for english, *_ in sentences()[:4]) + "\n", encoding="utf-8")
    options = ["build", "made-up.en-de.tsv", "-o", "out.jsonl", "--test-set", "test.txt", "--processes", "1"]
    options += ["--kinds", "translation=1"]
    status, out, err = run(*options)
    assert (status, out) == (1, "")
    assert "test.txt: 4 of 180 pairs" in err
    assert "--on-overlap drop" in err
    status, out, err = run(*options, "--on-overlap", "drop")
    assert status == 0
    assert "In the test set test.txt: 4 pairs, left out." in err
    assert "from 176 of 180 pairs" in err
    status, out, err = run(*options, "--on-overlap", "allow", "--force")
    assert status == 0
    assert "In the test set test.txt: 4 pairs, kept" in err


def test_what_a_user_may_have_mistaken_is_said(run: Run) -> None:
    Path("test.txt").write_text("Nothing of this is to be found there.\n", encoding="utf-8")
    options = ["-o", "out.jsonl", "--kinds", "translation=1", "--processes", "1", "--no-report"]
    status, _, err = run("build", "made-up.en-de.tsv", *options, "--test-set", "test.txt")
    assert status == 0
    assert "In the test sets test.txt: no pair." in err
    assert "other way round" not in err


def test_odd_text_is_counted_or_named(run: Run) -> None:
    good = "".join(f"{english}\t{german}\n" for english, german, _ in sentences()[:30])
    odd = (
        "\tallein\n"
        + "x" * (1 << 20)
        + "\tlang\n"
        + good
        + good
        + "Only one\x00 thing here.\tNur eine\x1b Sache hier.\n"
    )
    Path("odd.en-de.tsv").write_text(odd, encoding="utf-8")
    status, _, err = run("build", "odd.en-de.tsv", "-o", "odd.jsonl", "--kinds", "translation=1", "--processes", "1")
    assert status == 0
    assert "Left out, the pair occurred before: 30" in err
    assert "Left out, one side is empty: 1" in err
    text = Path("odd.jsonl").read_text(encoding="utf-8")
    assert "\\u0000" not in text
    assert "\\u001b" not in text
    assert "xxxxxxxx" not in text

    Path("latin.en-de.tsv").write_bytes("A bear.\tEin Bär.\n".encode("cp1252"))
    status, _, err = run("build", "latin.en-de.tsv", "-o", "latin.jsonl", "--processes", "1")
    assert status == 1
    assert "latin.en-de.tsv" in err
    assert "line 1" in err
    assert "--encoding" in err
    Path("big.en-zh.tsv").write_bytes("A bear.\t一只熊。\n".encode("gb18030"))
    options = ("--encoding", "gb18030", "--kinds", "translation=1", "--processes", "1", "--no-report")
    assert run("build", "big.en-zh.tsv", "-o", "gb.jsonl", *options)[0] == 0
    assert "一只熊" in Path("gb.jsonl").read_text(encoding="utf-8")


def test_inputs_of_several_formats_and_pairs(run: Run) -> None:
    Path("a.en").write_text("Good morning.\nGood night.\n", encoding="utf-8")
    Path("a.fr").write_text("Bonjour à tous.\nBonne nuit à tous.\n", encoding="utf-8")
    with gzip.open("plain.tsv.gz", "wt", encoding="utf-8") as file:
        file.write("7\tThe tea is green.\t茶是绿色的。\n")
    shared = ("--kinds", "translation=1", "--processes", "1", "-o", "out.jsonl.gz")
    licences = ("--license", "CC0", "--license", "a.en+a.fr=CC BY 4.0")
    assert run("build", "made-up.en-de.tsv", "--input", "en-fr=a.en,a.fr", *shared, *licences)[0] == 0
    inputs = json.loads(Path("out.report.json").read_bytes())["inputs"]
    assert [(file["path"], file["license"]) for file in inputs] == [
        ("made-up.en-de.tsv", "CC0"),
        ("a.en and a.fr", "CC BY 4.0"),
    ]
    pairs = json.loads(Path("out.report.json").read_bytes())["statistics"]["tables"]["pairs"]
    assert pairs == {"en-de": 180, "de-en": 180, "en-fr": 2, "fr-en": 2}
    options = ("--from", "English", "--to", "zh", "--columns", "2,3", "--one-way", "--force", "--no-report")
    status, out, _ = run("build", "plain.tsv.gz", *shared, *options)
    assert (status, out) == (0, "out.jsonl.gz\n")
    (line,) = gzip.decompress(Path("out.jsonl.gz").read_bytes()).splitlines()
    assert json.loads(line)["messages"][1]["content"] == "茶是绿色的。"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 2, "No input is named"),
        (("corpus.tsv",), 2, "name them with --from and --to"),
        (("corpus.tsv", "--from", "en"), 2, "belong together"),
        (("made-up.en-de.tsv", "--kinds", "correctoin=1"), 2, "no kind 'correctoin'"),
        (("made-up.en-de.tsv", "--kinds", "correction=yes"), 2, "a name and a number"),
        (("made-up.en-de.tsv", "--kinds", "correction=2"), 2, "from 0 to 1"),
        (("made-up.en-de.tsv", "--kinds", "translation=0"), 2, "nothing to build"),
        (("made-up.en-de.tsv", "--instructions", "ru=1"), 2, "users speak en, zh, de, fr here"),
        (
            (
                "--input",
                "en=made-up.en-de.tsv",
            ),
            2,
            "such as en-de=news.tsv",
        ),
        (("missing.en-de.tsv",), 1, "missing.en-de.tsv"),
        (("made-up.en-de.tsv", "--test-set", "nothing"), 2, "test set nothing"),
        (("made-up.en-de.tsv", "-o", "nowhere/out.jsonl"), 1, "choose another file with -o"),
        (("made-up.en-de.tsv", "--report", "nowhere/page.html"), 1, "choose another page with --report"),
        (("made-up.en-de.tsv", "--columns", "a,b"), 2, "not a,b"),
        (("made-up.en-de.tsv", "-o", "-"), 2, "not written to standard output"),
        (("made-up.en-de.tsv", "--license", "other.tsv=CC0"), 2, "other.tsv is no input"),
        (("made-up.en-de.tsv", "--report", "page.pdf"), 2, "ends with .html"),
        (("made-up.en-de.tsv", "--report", "no/page.html"), 1, "There is no folder"),
        (("made-up.en-de.tsv", "--writer", "localhost:8000"), 2, "begin with http://"),
        (("made-up.en-de.tsv", "--writer", "http://me:key@h/v1"), 2, "BAYLING_WRITER_KEY"),
        (("made-up.en-de.tsv", "--writer", "http://h/v1", "--writer-price", "nan,1"), 2, "two numbers from 0"),
        (("made-up.en-de.tsv", "--writer", "http://h/v1", "--writer-price", "1,-1"), 2, "two numbers from 0"),
        (("made-up.en-de.tsv", "--writer", "http://h/v1", "--writer-kinds", "styel"), 2, "no 'styel'"),
        (("made-up.en-de.tsv", "--tokenizer", "missing.model"), 1, "cannot be read"),
        (("made-up.en-de.tsv", "--drafts", "no-such-model"), 4, "no-such-model"),
    ],
)
def test_slips_are_named(run: Run, arguments: tuple[str, ...], status: int, message: str) -> None:
    done, out, err = run("build", "-o", "out.jsonl", *arguments, "--processes", "1")
    assert (done, out) == (status, "")
    assert message in err
    assert not Path("out.jsonl").exists()


def test_an_input_is_never_the_output_and_what_is_there_stays(run: Run) -> None:
    status, _, err = run("build", "made-up.en-de.tsv", "-o", "made-up.en-de.tsv", "--force")
    assert status == 2
    assert "never overwritten" in err
    Path("out.jsonl").write_text("precious", encoding="utf-8")
    status, _, err = run("build", "made-up.en-de.tsv", "-o", "out.jsonl")
    assert status == 1
    assert "--force" in err
    assert Path("out.jsonl").read_text(encoding="utf-8") == "precious"


def test_show_is_safe_and_chooses_what_was_asked_for(run: Run) -> None:
    messages = [{"role": "user", "content": "Hi \x1b[2Jthere"}, {"role": "assistant", "content": "Hello", "weight": 0}]
    messages += [{"role": "user", "content": "line\nbreak"}, {"role": "assistant", "content": "Bye"}]
    line = {
        "messages": messages,
        "kind": "style",
        "source_language": "en",
        "target_language": "de",
        "origin": "\x1b]0;x\x07o",
    }
    other = {"messages": messages[2:], "kind": "length"}
    Path("d.jsonl").write_text("".join(json.dumps(one) + "\n" for one in (line, other, other)), encoding="utf-8")
    status, out, err = run("show", "d.jsonl", "--kind", "style")
    assert (status, err) == (0, "")
    assert out == (
        "── style · en → de · o ──\nuser: Hi there\nassistant (context): Hello\nuser: line\nbreak\nassistant: Bye\n"
    )
    assert run("show", "d.jsonl", "-n", "9")[1].count("── length ──") == 2
    assert run("show", "d.jsonl", "--pair", "zh-en")[0] == 1
    assert run("show", "d.jsonl", "--kind", "stile")[0] == 2
    assert run("show", "d.jsonl", "-n", "1", "--seed", "4")[1] == run("show", "d.jsonl", "-n", "1", "--seed", "4")[1]


def test_report_on_any_file_of_dialogues(run: Run) -> None:
    line = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}
    Path("chats.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    status, out, err = run("report", "chats.jsonl")
    assert (status, out, err) == (0, "chats.report.html\nchats.report.json\n", "")
    assert "<svg" in Path("chats.report.html").read_text(encoding="utf-8")
    Path("bad.jsonl").write_text("{}\n", encoding="utf-8")
    status, _, err = run("report", "bad.jsonl")
    assert status == 1
    assert "bad.jsonl, line 1" in err


def test_a_terminal_sees_progress() -> None:
    leader, follower = pty.openpty()
    words = [*COMMAND, "made-up.en-de.tsv", "-o", "out.jsonl", "--kinds", "translation=1", "--processes", "1"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=follower)
    os.close(follower)
    seen = "".join(_read(leader))
    assert process.wait(timeout=60) == 0
    assert "Reading" in seen
    assert "of 180 pairs" in seen


def _read(descriptor: int) -> Iterator[str]:
    with contextlib.suppress(OSError):  # the other side is closed
        while data := os.read(descriptor, 4096):
            yield data.decode("utf-8", "replace")
    os.close(descriptor)


def test_help_is_quick_and_has_examples() -> None:
    code = (
        "import sys\nfrom bayling_lite.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'numpy', 'torch', 'bayling_finetune'}))"
    )
    for arguments in ((), ("build",), ("show",), ("report",)):
        shown = subprocess.run(
            [sys.executable, "-c", code, "dialogues", *arguments, "--help"], capture_output=True, text=True, check=True
        )
        assert shown.stdout.splitlines()[-1] == "[]", arguments
        assert "bayling dialogues" in shown.stdout
