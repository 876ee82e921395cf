"""Results of translation as plain lines, for other tools: ``comet-score``, ``sacrebleu``, a diff."""

from __future__ import annotations

from pathlib import Path

from bayling_lite.errors import OutputError
from bayling_lite.evaluate.results import file_name
from bayling_lite.evaluate.translation.parallel_set import one_line
from bayling_lite.evaluate.values import SetResult
from bayling_lite.reasons import reason
from bayling_lite.whole_file import replace_whole


def write_lines(result: SetResult, folder: Path) -> tuple[Path, ...]:
    """Write ``FOLDER/SYSTEM/SET.hypo``, ``.src`` and ``.ref``, a sentence a line, as they were scored. Gives the files.

    Raises:
        OutputError: they cannot be written.
    """
    place = folder / file_name(result.system)
    columns = {
        "src": [output.asked[0] if output.asked else "" for output in result.outputs],
        "hypo": [output.said[-1] if output.said else "" for output in result.outputs],
        "ref": [output.reference for output in result.outputs],
    }
    written = []
    try:
        place.mkdir(parents=True, exist_ok=True)
        for end, texts in columns.items():
            path = place / f"{file_name(result.set_name)}.{end}"
            replace_whole(path, "".join(f"{one_line(text)}\n" for text in texts).encode("utf-8", "replace"))
            written.append(path)
    except OSError as error:
        raise OutputError(f"Lines cannot be written to {place}: {reason(error)}.") from error
    return tuple(written)
