"""What happens when a stream is closed, a name is empty, a byte is damaged, or an output is the input."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Translate

COMMAND = f"{sys.executable} -c 'from bayling_lite.cli import main; main()'"


def shell(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line as a shell does; ``bayling`` is the command."""
    paths = [str(Path(__file__).parents[2] / name) for name in ("", "convert", "finetune")]
    return subprocess.run(
        ["bash", "-c", command.replace("bayling ", f"{COMMAND} ")],
        capture_output=True,
        encoding="utf-8",
        cwd=folder,
        env=os.environ | {"PYTHONPATH": ":".join(paths)} | environment,
        check=False,
        timeout=120,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("bayling translate a.txt --to zh --from en -o out.txt >&-", 0, ""),
        ("bayling translate --to zh <&-", 2, "Nothing to translate"),
        ("bayling --help >&-", 0, ""),
        ("bayling translate a.txt --to zh --from en >/dev/full", 1, "Error: The output cannot be written: No space"),
        ("echo hi | bayling chat --to zh --from en -q >/dev/full", 1, "Error: The output cannot be written: No space"),
        ("bayling translate '' --to zh", 2, "name is empty"),
        ("bayling translate a.txt --to zh -o ''", 2, "name is empty"),
    ],
)
def test_streams_and_empty_names(chain_model: Path, tmp_path: Path, command: str, status: int, said: str) -> None:
    (tmp_path / "a.txt").write_text("Hello.\n", encoding="utf-8")
    done = shell(command, tmp_path, BAYLING_MODEL=str(chain_model))
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_no_arguments_show_the_help_once(tmp_path: Path) -> None:
    done = shell("bayling ", tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("Usage:") == 1
    assert "Error" not in done.stderr


def test_half_a_character_is_placed(translate: Translate) -> None:
    Path("cut.txt").write_bytes("第一行。\n第二行。\n第三行。".encode()[:-1])
    for options in ((), ("--encoding", "utf-8")):
        outcome = translate("cut.txt", "--to", "en", *options)
        assert outcome.status == 1
        assert "the byte 0xe3 on line 3" in outcome.err


@pytest.mark.slow
def test_a_required_term_is_used(chain_model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Hello token.\n", encoding="utf-8")
    command = "bayling translate a.txt --to zh --from en --term token=词元 --term Hello=早"
    done = shell(command, tmp_path, BAYLING_MODEL=str(chain_model))
    assert (done.returncode, done.stderr) == (0, "")
    assert "词元" in done.stdout
    assert "早" in done.stdout


@pytest.mark.slow
def test_a_required_term_that_cannot_be_used_is_reported(chain_model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Hello token.\n", encoding="utf-8")
    # It fits the context, but not a second time, as a part of the answer.
    term = "x" * 150
    command = f"bayling translate a.txt --to zh --from en --term token={term}"
    done = shell(command, tmp_path, BAYLING_MODEL=str(chain_model))
    assert (done.returncode, done.stdout) == (0, "早 good day</\n")
    assert f"the model could not be made to use token → {term} in 1 place." in done.stderr
