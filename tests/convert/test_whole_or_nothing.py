"""The output appears whole or not at all, and is never overwritten unasked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bayling_convert import Step, convert
from bayling_convert.making import make
from bayling_convert.output import whole_file
from bayling_lite.errors import CheckpointError, OutputError

Make = Callable[..., Path]
ROOT = Path(__file__).parents[2]


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'convert'}"}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


def test_progress_counts_every_byte(make_checkpoint: Make, place: Path) -> None:
    seen: list[Step] = []
    checkpoint = make_checkpoint()
    convert(checkpoint, place / "out.gguf", progress=seen.append)
    done = [step.done for step in seen]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, seen[-1].total)
    assert {step.tensor for step in seen} >= {"token_embd.weight", "blk.1.ffn_up.weight"}
    n_done = [step.n_done for step in seen]
    assert n_done == sorted(n_done)
    n_tensors = len({step.tensor for step in seen})
    assert (n_done[0], n_done[-1], {step.n_tensors for step in seen}) == (0, n_tensors, {n_tensors})
    assert {step.files for step in seen} == {frozenset({str(checkpoint / "model.safetensors")})}


def test_an_interrupt_leaves_nothing(make_checkpoint: Make, place: Path) -> None:
    def interrupt(step: Step) -> None:
        assert files(place) != []
        if step.done > step.total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(make_checkpoint(), place / "out.gguf", progress=interrupt)
    assert files(place) == []


def test_a_failure_keeps_the_file_that_was_there(make_checkpoint: Make, place: Path) -> None:
    (place / "out.gguf").write_text("GGUF old")

    def fail(_step: Step) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(make_checkpoint(), place / "out.gguf", overwrite=True, progress=fail)
    assert (place / "out.gguf").read_text() == "GGUF old"
    assert files(place) == ["out.gguf"]


def test_no_overwriting_without_being_asked(make_checkpoint: Make, place: Path) -> None:
    checkpoint = make_checkpoint()
    (place / "out.gguf").write_text("GGUF old")
    with pytest.raises(OutputError, match="--force"):
        convert(checkpoint, place / "out.gguf")
    assert (place / "out.gguf").read_text() == "GGUF old"
    convert(checkpoint, place / "out.gguf", overwrite=True)
    assert (place / "out.gguf").read_bytes()[:4] == b"GGUF"


def test_a_file_made_meanwhile_is_not_overwritten(make_checkpoint: Make, place: Path) -> None:
    def make_one(_step: Step) -> None:
        (place / "out.gguf").write_text("another program's")

    with pytest.raises(OutputError, match="exists already"):
        convert(make_checkpoint(), place / "out.gguf", progress=make_one)
    assert (place / "out.gguf").read_text() == "another program's"
    assert files(place) == ["out.gguf"]


def test_the_result_has_the_rights_of_any_new_file(make_checkpoint: Make, place: Path) -> None:
    mask = os.umask(0o027)
    try:
        convert(make_checkpoint(), place / "out.gguf", "F16")
    finally:
        os.umask(mask)
    assert (place / "out.gguf").stat().st_mode & 0o777 == 0o640


KILLED = """
import sys, time
from bayling_convert import convert
from bayling_convert.output import whole_file
def slowly(step):
    if step.done > step.total // 2:
        print("half", flush=True)
        time.sleep(60)
convert(sys.argv[1], sys.argv[2], "F32", progress=slowly)
"""


def test_killed_in_the_middle(make_checkpoint: Make, place: Path) -> None:
    process = python(KILLED, make_checkpoint(), place / "out.gguf")
    assert process.stdout is not None
    assert process.stdout.readline() == "half\n"
    process.kill()
    process.communicate()
    assert not (place / "out.gguf").exists()


def test_ctrl_c_in_the_middle(make_checkpoint: Make, place: Path) -> None:
    process = python(KILLED, make_checkpoint(), place / "out.gguf")
    assert process.stdout is not None
    assert process.stdout.readline() == "half\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert "KeyboardInterrupt" in errors
    assert files(place) == []


FULL = """
import resource, sys
from bayling_convert import convert
from bayling_convert.output import whole_file
from bayling_lite.errors import OutputError
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    convert(sys.argv[1], sys.argv[2], "F32")
except OutputError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [*(pytest.param(n, marks=pytest.mark.slow) for n in (1000, 20_000)), 1_000_000])
def test_a_full_disk(limit: int, make_checkpoint: Make, place: Path) -> None:
    """A limit on the size of files fails the same writes as a full disk: in the header, or in the data."""
    process = python(FULL, make_checkpoint(), place / "out.gguf", limit)
    output, errors = process.communicate(timeout=60)
    assert "is full" in output, errors
    assert "needed" in output
    assert files(place) == []


def test_too_little_space_is_known_before(make_checkpoint: Make, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    usage = shutil.disk_usage(place)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    with pytest.raises(OutputError, match=r"only 1\.0 kB are free"):
        convert(make_checkpoint(), place / "out.gguf")
    assert files(place) == []


def test_places_where_no_file_can_be(make_checkpoint: Make, place: Path) -> None:
    checkpoint = make_checkpoint()
    with pytest.raises(OutputError, match="is a folder"):
        convert(checkpoint, place)
    with pytest.raises(OutputError, match="does not exist"):
        convert(checkpoint, place / "none" / "out.gguf")
    with pytest.raises(OutputError, match="could not be written"):
        convert(checkpoint, place / ("x" * 300))
    assert files(place) == []


def test_what_is_no_gguf_is_never_overwritten(make_checkpoint: Make) -> None:
    checkpoint = make_checkpoint()
    weights = checkpoint / "model.safetensors"
    before = weights.read_bytes()
    with pytest.raises(OutputError, match="not a GGUF file"):
        convert(checkpoint, weights, overwrite=True)
    assert weights.read_bytes() == before
    with pytest.raises(OutputError, match="no ordinary file"):
        convert(checkpoint, "/dev/full", overwrite=True)


def written(path: Path, content: bytes, *, job: str | None = None) -> None:
    with whole_file(path, n_bytes=len(content), overwrite=False, job=job) as part:
        part.write(0, content)


def interrupted(path: Path, content: bytes, *, job: str) -> None:
    def work() -> None:
        with whole_file(path, n_bytes=len(content), overwrite=False, job=job) as part:
            part.write(0, content)
            part.mark("a")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()


def done(path: Path, n_bytes: int, job: str) -> set[str]:
    """What the next run of the job takes for done, and it has better be there."""
    with whole_file(path, n_bytes=n_bytes, overwrite=False, job=job) as part:
        return set(part.done)


def test_what_is_marked_is_done(place: Path) -> None:
    interrupted(place / "out", b"ours", job="job")
    assert done(place / "out", 4, "job") == {"a"}
    assert (place / "out").read_bytes() == b"ours"
    assert files(place) == ["out"]


@pytest.mark.parametrize("left", [None, b"", b"our", b"ours and more"])
def test_a_journal_without_its_part_is_not_believed(left: bytes | None, place: Path) -> None:
    """Killed between giving the file its name and removing the journal."""
    interrupted(place / "out", b"ours", job="job")
    (place / ".out.part").unlink()
    if left is not None:
        (place / ".out.part").write_bytes(left)
    assert done(place / "out", 4, "job") == set()


def test_a_part_that_another_job_wrote_into_is_not_believed(place: Path) -> None:
    interrupted(place / "out", b"ours", job="job")
    process = python(
        "import os, pathlib, sys\n"
        "from bayling_convert.output import whole_file\n"
        "with whole_file(pathlib.Path(sys.argv[1]), n_bytes=4, overwrite=False) as part:\n"
        "    os._exit(9)\n",
        place / "out",
    )
    process.communicate()
    assert process.returncode == 9
    assert done(place / "out", 4, "job") == set()


def test_a_line_that_does_not_end_is_not_believed(place: Path) -> None:
    interrupted(place / "out", b"ours", job="job")
    with (place / ".out.journal").open("a") as journal:
        journal.write("b")
    assert done(place / "out", 4, "job") == {"a"}


def test_a_finished_file_is_not_written_into(place: Path) -> None:
    """Killed between giving the file its name and taking the other one away: both are names of one file."""
    written(place / "out", b"finished")
    os.link(place / "out", place / ".out.part")
    (place / "out").rename(place / "elsewhere")
    written(place / "out", b"another")
    assert (place / "elsewhere").read_bytes() == b"finished"
    assert (place / "out").read_bytes() == b"another"
    assert files(place) == ["elsewhere", "out"]


def test_one_process_at_a_time(place: Path) -> None:
    with whole_file(place / "out", n_bytes=4, overwrite=False) as part:
        part.write(0, b"ours")
        with pytest.raises(OutputError, match="another process"):
            written(place / "out", b"theirs")
    assert (place / "out").read_bytes() == b"ours"


@pytest.mark.parametrize("change", ["cut short", "written into"])
def test_a_checkpoint_that_changes_meanwhile(change: str, make_checkpoint: Make, place: Path) -> None:
    checkpoint = make_checkpoint(num_hidden_layers=4)
    weights = checkpoint / "model.safetensors"

    def disturb(step: Step) -> None:
        if not step.done:
            return
        if change == "cut short":
            os.truncate(weights, 50_000)
        elif step.done < step.total:
            with weights.open("r+b") as file:
                file.seek(-1000, os.SEEK_END)
                file.write(bytes(500))

    with pytest.raises(CheckpointError, match=r"shorter|written into"):
        convert(checkpoint, place / "out.gguf", progress=disturb)
    assert files(place) == []


def test_what_a_killed_comparison_left_is_removed(make_checkpoint: Make, place: Path) -> None:
    interrupted(place / ".out.gguf.reference", b"part", job="job")
    (place / ".out.gguf.reference").write_bytes(b"GGUF, as large as the checkpoint")
    make(make_checkpoint(), place / "out.gguf", "Q8_0")
    assert files(place) == ["out.gguf"]
