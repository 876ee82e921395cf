"""The catalogue of the interface's messages: found in the code, translated by people, compiled.

::

    python -m tools.catalogue            # take over new messages, drop those that are gone, compile
    python -m tools.catalogue --check    # say what is missing or out of date; exit status 1 if anything is

Messages are the first arguments of ``_``, ``plural`` and ``noted``, and the help of the commands that are listed here.
New ones come without a translation: fill them into the ``.po`` and run it again.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import polib

from bayling_lite.cli.localized import LocalizedCommand
from bayling_lite.localization import LOCALES

PACKAGE = LOCALES.parent
CATALOGUE = LOCALES / "zh_CN" / "LC_MESSAGES" / "bayling.po"
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
Message = tuple[str, str]  # one, and many (empty where there is only one form)


def messages() -> dict[Message, list[str]]:
    """Every message of the interface, and the files it is in, in the order of files and lines."""
    found: dict[Message, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE.parent).as_posix()
        for message in _in_code(path):
            found.setdefault(message, [])
            if name not in found[message]:
                found[message].append(name)
    for text in _in_help():
        found.setdefault((text, ""), ["--help"])
    return found


def _in_code(path: Path) -> Iterator[Message]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        function = call.func.id if isinstance(call.func, ast.Name) else ""
        if function not in ("_", "plural", "noted"):
            continue
        wanted = call.args[: 2 if function == "plural" else 1]
        texts = [node.value for node in wanted if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        if len(texts) == len(wanted) and texts:
            yield texts[0], texts[1] if function == "plural" else ""
        elif function != "_" or any(isinstance(node, ast.JoinedStr) for node in wanted):
            # `_` alone may get a text that a table has noted.
            raise SystemExit(f"{path}:{call.lineno}: {function} needs a constant text.")


def _in_help() -> Iterator[str]:
    """The texts of the commands whose help is translated."""
    from bayling_lite.cli import bayling

    yield from _help_of(bayling)


def _help_of(command: click.Command) -> Iterator[str]:
    if isinstance(command, LocalizedCommand):
        yield from (inspect.cleandoc(text) for text in (command.help, command.epilog) if text)
        yield from (option.help for option in command.params if isinstance(option, click.Option) and option.help)
        # Choices and codes are typed as they stand; words in capitals stand for what is typed.
        yield from (each.metavar for each in command.params if each.metavar and not each.metavar.islower())
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from _help_of(below)


def faults(catalogue: polib.POFile, wanted: dict[Message, list[str]]) -> list[str]:
    """What is wrong with a catalogue, a line each."""
    entries = {(entry.msgid, entry.msgid_plural): entry for entry in catalogue if not entry.obsolete}
    lines = [f"not in the catalogue: {one!r}" for one, many in wanted if (one, many) not in entries]
    lines += [f"no longer in the code: {one!r}" for one, many in entries if (one, many) not in wanted]
    for (one, many), entry in entries.items():
        shown = list(entry.msgstr_plural.values()) if many else [entry.msgstr]
        if not all(shown) or not shown or entry.fuzzy:
            lines.append(f"not translated: {one!r}")
            continue
        places = _placeholders(many or one)
        lines += [f"other placeholders than {one!r}: {text!r}" for text in shown if _placeholders(text) != places]
    return lines


def _placeholders(text: str) -> set[str]:
    try:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError:  # braces that are no placeholders: then the text is shown without values
        return set(_PLACEHOLDER.findall(text))


def update(catalogue: polib.POFile, wanted: dict[Message, list[str]]) -> polib.POFile:
    """The catalogue with exactly the wanted messages, in the order of the code."""
    known = {(entry.msgid, entry.msgid_plural): entry for entry in catalogue if not entry.obsolete}
    new = polib.POFile(wrapwidth=118)
    new.header = catalogue.header
    new.metadata = {
        "Project-Id-Version": "bayling-lite",
        "Language": "zh_CN",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=1; plural=0;",
    }
    for (one, many), places in wanted.items():
        entry = known.get((one, many)) or polib.POEntry(msgid=one, msgid_plural=many)
        if many and not entry.msgstr_plural:
            entry.msgstr_plural = {0: ""}
        entry.occurrences = [(place, "") for place in places]
        new.append(entry)
    return new


def main() -> int:
    """Check, or bring up to date and compile."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; say what is wrong")
    chosen = parser.parse_args()
    catalogue = polib.pofile(str(CATALOGUE)) if CATALOGUE.exists() else polib.POFile()
    wanted = messages()
    if not chosen.check:
        CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
        catalogue = update(catalogue, wanted)
        catalogue.save(str(CATALOGUE))
        catalogue.save_as_mofile(str(CATALOGUE.with_suffix(".mo")))
    lines = faults(catalogue, wanted)
    compiled = CATALOGUE.with_suffix(".mo")
    if chosen.check and (not compiled.exists() or compiled.read_bytes() != catalogue.to_binary()):
        lines.append("the compiled catalogue is out of date: run python -m tools.catalogue")
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
