"""What does quantizing cost? GGUF files of one model, compared on dialogues that calibration has not seen.

::

    python -m bayling_convert.verify model.F32.gguf model.Q4_K_M.gguf [--dialogues dialogues.jsonl] [--svg picture.svg]

The first file is what the others are compared with. Each line of the dialogues is
``{"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import textwrap
from pathlib import Path

from bayling_convert.importance.calibration import held_out_dialogues
from bayling_convert.model_card.plain import one_line
from bayling_convert.proof.comparison import Comparison
from bayling_convert.proof.measure import N_TRANSLATIONS, compare
from bayling_convert.proof.perplexity import perplexity
from bayling_convert.proof.plot import svg, text_histogram
from bayling_convert.proof.scoring import languages_of
from bayling_lite.errors import BaylingError, InputError, OutputError, UsageError
from bayling_lite.messages import Conversation

__all__ = ["compare", "main", "perplexity", "read_dialogues", "report"]

N_DIALOGUES = 60
"""Dialogues of our own to measure on unless told."""
_EXAMPLES = 3
_BESIDE_BARS = 26
"""Columns that a row of the histogram needs besides its bar."""


def read_dialogues(path: Path) -> list[Conversation]:
    """Dialogues from a file of JSON lines.

    Raises:
        InputError: the file cannot be read, or a line is not a dialogue; the message names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as UTF-8 text: {error}.") from error
    dialogues = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                dialogue = Conversation.of(json.loads(line)["messages"])
                for message in dialogue:
                    message.content.encode()  # JSON can name halves of characters, which are no text
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise InputError(f'{path}, line {number}: not a dialogue {{"messages": [...]}} ({error}).') from error
            dialogues.append(dialogue)
    return dialogues


def report(comparison: Comparison, *, width: int = 80, ascii_only: bool = False, histogram: bool = True) -> str:
    """A comparison for a terminal: the table, the histogram of divergences, some answers that differ."""
    rows = comparison.rows()
    labels, values = (
        max(len(text) for text in column) for column in zip(*((r.label, r.value) for r in rows), strict=True)
    )
    lines = [
        one_line(f"{comparison.quantized} against {comparison.reference}"),
        f"{comparison.n_tokens:,} tokens of the answers in {comparison.n_dialogues} dialogues",
        "",
        *(_fitting(f"{row.label:<{labels}}  {row.value:>{values}}", row.explanation, width) for row in rows),
    ]
    if histogram:
        bars = max(8, min(40, width - _BESIDE_BARS))
        drawn = text_histogram(comparison.divergence, width=bars, ascii_only=ascii_only)
        lines += ["", "KL divergence, nats", drawn]
    for pair in comparison.different()[:_EXAMPLES]:
        said = (("request", pair.request), ("reference", pair.reference), ("quantized", pair.quantized))
        lines += ["", *(_wrapped(f"{name:<9}  {one_line(text)}", width) for name, text in said)]
    lines += ["", *comparison.notes] if comparison.notes else []
    text = "\n".join(lines)
    return text.replace("±", "+-") if ascii_only else text


def _fitting(figure: str, explanation: str, width: int) -> str:
    """A row of the table; its explanation is left out where it does not fit."""
    return f"{figure}  {explanation}" if len(figure) + 2 + len(explanation) <= width else figure


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(text, width, subsequent_indent=" " * 11, max_lines=3, placeholder=" [...]")


def main(arguments: list[str] | None = None) -> int:
    """Compare each file with the first, or give the perplexity of a single one."""
    parser = argparse.ArgumentParser(prog="python -m bayling_convert.verify", description=__doc__.split("\n")[0])
    parser.add_argument("gguf", nargs="+", type=Path, help="GGUF files; the first is what the others are compared with")
    parser.add_argument("--dialogues", type=Path, help=f"JSON lines of dialogues (default: {N_DIALOGUES} of our own)")
    parser.add_argument("--n-ctx", type=int, help="longest dialogue in tokens (default: as long as they are)")
    parser.add_argument(
        "--translations",
        type=int,
        default=N_TRANSLATIONS,
        metavar="N",
        help=f"greedy answers to compare (default: {N_TRANSLATIONS})",
    )
    parser.add_argument("--svg", type=Path, help="draw the (last) comparison into this file")
    parser.add_argument("--json", action="store_true", help="write a line of JSON per comparison instead of tables")
    chosen = parser.parse_args(arguments)
    try:
        _run(chosen)
    except BaylingError as error:
        sys.stderr.write(f"Error: {error}\n")
        return error.exit_status
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return 130
    return 0


def _run(chosen: argparse.Namespace) -> None:
    if (chosen.n_ctx is not None and chosen.n_ctx < 1) or chosen.translations < 0:
        raise UsageError("--n-ctx must be 1 or more, --translations 0 or more.")
    reference, *others = chosen.gguf
    if chosen.dialogues is not None:
        dialogues = read_dialogues(chosen.dialogues)
    else:
        dialogues = held_out_dialogues(languages_of(reference), N_DIALOGUES)
    if not others:
        value = perplexity(reference, dialogues, n_ctx=chosen.n_ctx)
        sys.stdout.write(f"{value:10.4f}  {one_line(reference.name)}\n")
        return
    for place, other in enumerate(others):
        comparison = compare(
            reference, other, dialogues, n_ctx=chosen.n_ctx, n_translations=chosen.translations, progress=_progress
        )
        if chosen.json:
            sys.stdout.write(json.dumps(comparison.to_dict(), ensure_ascii=False) + "\n")
        else:
            sys.stdout.write(("\n" if place else "") + for_stdout(comparison) + "\n")
        if chosen.svg is not None:
            _write(chosen.svg, svg(comparison))


def for_stdout(comparison: Comparison) -> str:
    """The report as wide as the terminal, in characters that its encoding has."""
    on_terminal, encoding = sys.stdout.isatty(), sys.stdout.encoding or "ascii"
    columns = max(40, shutil.get_terminal_size().columns) if on_terminal else 10**6
    text = report(comparison, width=columns, ascii_only=not _can_write("█▏–±", encoding), histogram=on_terminal)
    return text.encode(encoding, "replace").decode(encoding)


def _can_write(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path} could not be written: {error.strerror or error}.") from error


def _progress(done: int, total: int, what: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{done}/{total} {what}" if done < total else "\r\x1b[K")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
