"""The command group: cheap to list, and clear about errors."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from bayling_lite import __version__
from bayling_lite.cli import COMMANDS, bayling, main, run
from bayling_lite.errors import BaylingError, InputError, ModelNotFound, OutputError, UsageError

HEAVY = ("llama_cpp", "torch", "transformers", "numpy", "prompt_toolkit", "gguf", "py3langid")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], [], ["translate", "--help"], ["chat", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys\nfrom bayling_lite.cli import main\n"
        f"try:\n    main({arguments!r})\n"
        f"except SystemExit:\n    print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stderr.strip().endswith("[]"), result.stderr


def exit_status(*arguments: str) -> int:
    with pytest.raises(SystemExit) as exited:
        main(arguments)
    assert isinstance(exited.value.code, int)
    return exited.value.code


def test_help_lists_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status("--help") == 0
    shown = capsys.readouterr().out
    for name in COMMANDS:
        assert f"\n  {name} " in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status("--version") == 0
    assert capsys.readouterr().out == f"bayling {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = bayling.get_command(click.Context(bayling), name)
    assert command is not None
    assert command.name == name
    assert exit_status(name, "--help") == 0
    assert f"Usage: bayling {name}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["translate"], ["translate", "--to"]])
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Error: " in captured.err


def status_of(error: BaseException) -> int:
    @click.command()
    def fails() -> None:
        raise error

    with pytest.raises(SystemExit) as exited:
        run(fails, "fails", [])
    assert isinstance(exited.value.code, int)
    return exited.value.code


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BaylingError("x"), 1),
        (InputError("x"), 1),
        (OutputError("x"), 1),
        (UsageError("x"), 2),
        (ModelNotFound("x"), 4),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_become_one_line_and_a_status(
    error: BaseException, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(error) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.strip().splitlines()) == 1


def test_an_error_message_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    status_of(InputError("There is no file \x1b]0;evil\x07\x1b[2Jx\ny."))
    assert capsys.readouterr().err == "Error: There is no file x y.\n"


def test_a_bug_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        status_of(ZeroDivisionError())
