"""The walls of the house: who may import whom, and what the documents promise about the commands."""

from __future__ import annotations

import ast
import functools
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import click
import pytest

from bayling_lite.chat.commands.table import reference
from bayling_lite.cli import bayling

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "bayling_lite": ROOT / "bayling_lite",
    "bayling_convert": ROOT / "convert" / "bayling_convert",
    "bayling_finetune": ROOT / "finetune" / "bayling_finetune",
}
# Lower layers first; a module may import its own layer and those before it.
BASE = (
    *(
        "closing",
        "errors",
        "localization",
        "reasons",
        "encodings",
        "messages",
        "languages",
        "prompts",
        "jinja_sandbox",
        "chat_template",
        "numerals",
        "terminal",
        "database",
        "units",
        "whole_file",
    ),
    *("gguf_reader", "gguf_rules", "gguf_file"),
)
LAYERS = (
    *(*BASE, "hub", "engine", "settings", "quantizations", "registry", "catalogue", "inventory", "checkpoints"),
    *("pulling", "translate"),
)
TOP = (*LAYERS, "evaluate", "chat", "cli")
# What conversion and training may use of the runtime.
ALLOWED = (
    *("prompts", "messages", "errors", "languages", "gguf_file", "units", "whole_file", "encodings"),
    "numerals",
)


def modules(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """The modules that these statements import."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return frozenset(names)


@functools.cache
def imports(package: str) -> dict[Path, tuple[frozenset[str], frozenset[str]]]:
    """For each file of a package: the modules it imports anywhere, and those it imports when it is itself imported."""
    found = {}
    for path in sorted(PACKAGES[package].rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found[path] = (modules(ast.walk(tree)), modules(tree.body))
    return found


def test_the_runtime_keeps_its_imports() -> None:
    wrong = []
    for path, (anywhere, at_once) in imports("bayling_lite").items():
        never = {"torch", "transformers"}
        if path.parent != ROOT / "bayling_lite" / "engine" / "llama":
            never.add("llama_cpp")
        told = {name.split(".")[0] for name in anywhere} & never
        told |= {name.split(".")[0] for name in at_once} & {"bayling_convert", "bayling_finetune"}
        wrong += [f"{path.relative_to(ROOT)} imports {name}" for name in sorted(told)]
    assert imports("bayling_lite")
    assert wrong == []


def test_imports_go_downward() -> None:
    wrong = []
    for path, (_, at_once) in imports("bayling_lite").items():
        own = path.relative_to(ROOT / "bayling_lite").parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        for module in sorted(at_once):
            parts = module.split(".")
            if parts[0] == "bayling_lite" and len(parts) > 1 and TOP.index(parts[1]) > TOP.index(own):
                wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert wrong == []


def test_conversion_and_training_do_not_know_each_other() -> None:
    for package, others in (
        ("bayling_convert", {"bayling_finetune", "torch", "transformers"}),
        ("bayling_finetune", {"bayling_convert", "llama_cpp"}),
    ):
        for path, (names, _) in imports(package).items():
            assert not {name.split(".")[0] for name in names} & others, path
            runtime = {".".join(name.split(".")[:2]) for name in names if name.startswith("bayling_lite")}
            allowed = {f"bayling_lite.{name}" for name in ALLOWED}
            assert runtime <= allowed, path


def test_help_imports_neither_llama_cpp_nor_torch() -> None:
    code = (
        "import sys\n"
        "from bayling_lite.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert end.code == 0, end.code\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'llama_cpp', 'torch', 'transformers', 'numpy'}))"
    )
    for arguments in (["--help"], ["--version"], ["translate", "--help"], ["chat", "--help"], ["finetune", "--help"]):
        shown = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=ROOT, check=True
        )
        assert shown.stdout.splitlines()[-1] == "[]", arguments


def test_continuous_integration_types_what_the_readme_says() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").replace(" --quiet", "")
    blocks = re.findall(r"```sh\n(.*?)```", readme, flags=re.DOTALL)
    tests = next(block for block in blocks if "pytest" in block)
    for command in tests.strip().split(" && "):
        assert command in script.splitlines(), command


def test_the_commands_of_the_chat_are_documented() -> None:
    page = (ROOT / "docs" / "chat.md").read_text(encoding="utf-8")
    begin, end = "<!-- commands: begin -->\n", "\n<!-- commands: end -->"
    assert page.partition(begin)[2].partition(end)[0] == reference().strip()


def documented_commands() -> list[str]:
    """Every command of ours in the shell blocks of the documents."""
    lines: list[str] = []
    for name in ("README.md", "docs/chat.md", "docs/evaluation.md", "finetune/README.md", "CONTRIBUTING.md"):
        document = ROOT / name
        for block in re.findall(r"```sh\n(.*?)```", document.read_text(encoding="utf-8"), flags=re.DOTALL):
            lines += [line.strip() for line in block.replace("\\\n", " ").splitlines()]
    lines = [
        line.replace("bayling-chat", "bayling chat", 1) if line.startswith("bayling-chat") else line for line in lines
    ]
    return [line for line in lines if line.startswith("bayling ")]


@pytest.mark.parametrize("line", documented_commands())
def test_the_documents_name_commands_and_options_that_there_are(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = bayling
    context = click.Context(command)
    while isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command = found
    known = {name for parameter in command.get_params(context) for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("-") and word != "-"} <= known
