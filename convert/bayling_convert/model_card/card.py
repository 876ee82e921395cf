"""Write the model card beside the files, or bring one up to date: what its readers have changed in it stays.

A card of ours is known by a comment. Between the comments that begin and end a section everything is written anew; what
stands outside them, and the metadata at the top, belong to the one who edits. A README that is not ours is never
touched: then the card is named after the file.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote

from bayling_convert.model_card.contents import CardContents, CardFile
from bayling_convert.model_card.sections import files_section, front_matter, sections, title
from bayling_convert.proof.plot import svg
from bayling_lite.errors import OutputError
from bayling_lite.whole_file import replace_whole

__all__ = ["CardContents", "CardFile", "model_card", "write_card"]

MARKER = "<!-- bayling-lite: model card. Sections between its comments are written anew; the rest is yours. -->"
_KNOWN = re.compile(r"^<!-- bayling-lite: model card\b", re.MULTILINE)
_SECTION = re.compile(
    r"^<!-- bayling-lite: begin (\w+) -->\r?\n(.*?)^<!-- bayling-lite: end \1 -->", re.MULTILINE | re.DOTALL
)
_DATA = re.compile(r"^<!-- bayling-lite: files (\[.*\]) -->\r?$", re.MULTILINE)
_MODEL = re.compile(r"^<!-- bayling-lite: model ([0-9a-f]{64}) -->\r?$", re.MULTILINE)
_VERIFIED = re.compile(r"^<!-- bayling-lite: verified (\S+) -->\r?\n", re.MULTILINE)
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_LARGEST = 4 * 1024 * 1024
_PICTURE_MARK = "What quantizing changed: "


def model_card(contents: CardContents) -> str:
    """The whole card of a model."""
    parts = [front_matter(contents) + "\n" + MARKER, title(contents)]
    parts += [f"{_begin(name)}\n{inner}{_end(name)}" for name, inner in _inner(contents, {}).items()]
    return "\n\n".join(parts) + "\n"


def write_card(folder: Path, contents: CardContents) -> tuple[Path, ...]:
    """Write ``README.md`` in the folder, or bring it up to date, and draw the comparisons beside it.

    The other files that an earlier card lists stay in it as long as they are there. Where there is a README that is not
    ours, or the card of another model, the card is ``<file>.README.md``, named after the first of the files: one card
    has one licence, and names the authors of one model.

    Returns:
        The card, then the pictures.

    Raises:
        OutputError: the card cannot be written, or another file has that name, too.
    """
    path, before = _place(folder, contents)
    try:
        drawn = _draw(folder, contents)
        if before is None:
            replace_whole(path, model_card(drawn).encode())
        else:
            replace_whole(path, _updated(folder, before, drawn).encode())
    except OSError as error:
        raise OutputError(f"The model card {path} could not be written: {error.strerror or error}.") from error
    return path, *(folder / file.picture for file in drawn.files if file.picture)


def _place(folder: Path, contents: CardContents) -> tuple[Path, str | None]:
    """Where the card goes, and the card of this model that is there."""
    stem = Path(contents.files[0].name).name.removesuffix(".gguf")
    for path in (folder / "README.md", folder / f"{stem}.README.md"):
        if not os.path.lexists(path):
            return path, None
        text = _ours(path)
        if text is not None and _MODEL.findall(text) in ([], [contents.identity]):
            return path, text
    raise OutputError(
        f"{folder / 'README.md'} and {path.name} are there and not cards of this model, so there is no place for its "
        "own. Move one of them away."
    )


def _ours(path: Path) -> str | None:
    """The text of a card that is ours; None for anything else, links included."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return None
    return text if _KNOWN.search(text) else None


def _updated(folder: Path, before: str, contents: CardContents) -> str:
    """The card with its sections as they are now. A section that was taken out stays out."""
    old = {found[1]: found[2] for found in _SECTION.finditer(before)}
    listed = [file for file in _listed(old.get("files", "")) if _is_there(folder, file)]
    names = {file.name for file in contents.files}
    everything = replace(contents, files=(*contents.files, *(file for file in listed if file.name not in names)))
    # A file that is as it was need not be measured again.
    as_before = {(file.name, file.sha256) for file in listed if file.sha256 or file.name not in names}
    earlier = _verified(old.get("verification", ""))
    same = [file.name for file in everything.files if (file.name, file.sha256) in as_before]
    verified = {name: earlier[name] for name in same if name in earlier}
    inner = _inner(everything, verified)
    line_break = "\r\n" if "\r\n" in before else "\n"

    def put(found: re.Match[str]) -> str:
        if found[1] not in inner:
            return found[0]
        return f"{_begin(found[1])}\n{inner[found[1]]}{_end(found[1])}".replace("\n", line_break)

    return _SECTION.sub(put, before)


def _inner(contents: CardContents, verified: Mapping[str, str]) -> dict[str, str]:
    """What stands between the comments of each section; ``verified`` are the parts of files measured before."""
    # A chat template is shown as it is: it must not pass for one of our comments.
    said = {name: text.replace("<!-- bayling-lite:", "<!-- bayling lite:") for name, text in sections(contents).items()}
    inner = {name: f"\n{text}\n\n" if text else "" for name, text in said.items()}
    inner["files"] = f"{_model(contents)}\n{_data(contents.files)}\n\n{files_section(contents.files)}\n\n"
    measured = {file.name: text for file in contents.files if (text := _measured(contents, file))}
    inner["verification"] = "".join(
        f"<!-- bayling-lite: verified {_quoted(name)} -->\n\n{text.strip()}\n\n"
        for name, text in sorted((dict(verified) | measured).items())
    )
    return inner


def _measured(contents: CardContents, file: CardFile) -> str:
    return sections(replace(contents, files=(file,)))["verification"]


def _model(contents: CardContents) -> str:
    return f"<!-- bayling-lite: model {contents.identity} -->"


def _data(files: Iterable[CardFile]) -> str:
    """The table of files for the next time, in a comment, which nothing in a name can end."""
    keys = ("name", "file_type", "n_bytes", "sha256", "imatrix")
    text = json.dumps([{key: getattr(file, key) for key in keys} for file in files])
    for plain, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("--", "-\\u002d")):
        text = text.replace(plain, escaped)
    return f"<!-- bayling-lite: files {text} -->"


def _listed(section: str) -> list[CardFile]:
    """The files of an earlier card. What somebody has spoilt by hand is left out."""
    found = _DATA.search(section)
    try:
        entries = json.loads(found[1]) if found else []
    except (ValueError, RecursionError):
        return []
    return [file for entry in entries if (file := _entry(entry)) is not None]


def _entry(entry: object) -> CardFile | None:
    if not isinstance(entry, dict):
        return None
    name, kind, n_bytes, sha256, imatrix = (
        entry.get(key) for key in ("name", "file_type", "n_bytes", "sha256", "imatrix")
    )
    if not (isinstance(name, str) and isinstance(kind, str) and type(n_bytes) is int):
        return None
    digest = sha256 if isinstance(sha256, str) and _SHA256.match(sha256) else None
    return CardFile(name, kind, n_bytes, digest, imatrix if isinstance(imatrix, str) else None)


def _is_there(folder: Path, file: CardFile) -> bool:
    """Whether the file is still in the folder, with its size; a name that leads out of the folder is not."""
    if Path(file.name).name != file.name or "\0" in file.name:
        return False
    path = folder / file.name
    return path.is_file() and path.stat().st_size == file.n_bytes


def _verified(section: str) -> dict[str, str]:
    """The parts of an earlier card on single files."""
    pieces = _VERIFIED.split(section.replace("\r\n", "\n"))
    return {
        unquote(name, errors="surrogateescape"): text for name, text in zip(pieces[1::2], pieces[2::2], strict=True)
    }


def _draw(folder: Path, contents: CardContents) -> CardContents:
    """The contents with the names of the pictures, which are drawn."""
    files = []
    for file in contents.files:
        picture = f"{Path(file.name).name.removesuffix('.gguf')}.svg"
        if file.comparison is not None and _is_free(folder / picture):
            replace_whole(folder / picture, svg(file.comparison).encode())
            files.append(replace(file, picture=picture))
        else:
            files.append(file)
    return replace(contents, files=tuple(files))


def _is_free(path: Path) -> bool:
    """Whether there is nothing of that name, or a picture of ours."""
    if not os.path.lexists(path):
        return True
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST:
        return False
    return _PICTURE_MARK.encode() in path.read_bytes()


def _begin(name: str) -> str:
    return f"<!-- bayling-lite: begin {name} -->"


def _end(name: str) -> str:
    return f"<!-- bayling-lite: end {name} -->"


def _quoted(name: str) -> str:
    return quote(name, safe="", errors="surrogateescape").replace("--", "-%2D")
