"""What is in the models folder, and the names that find it. Folders that are symbolic links are not entered."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bayling_lite.errors import OutputError
from bayling_lite.quantizations import preference, split_type, type_in_name, without_type
from bayling_lite.registry.record import Record, read_record, record_path

_LOCK = ".lock"
"""The file in the folder of a pull that says, locked, that a process is at work there."""
_PULL_FOLDER = ".pull"


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A GGUF file on this machine, and its record if it has one that can be read.

    ``name`` finds it, in every command that takes a model's name.
    """

    name: str
    path: Path
    record: Record | None = None

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.path.stat().st_size

    @property
    def type(self) -> str | None:
        """The type that the file's name tells, else its record."""
        return type_in_name(self.path.stem) or (self.record.type if self.record else None)

    @property
    def trouble(self) -> str | None:
        """What is wrong with it as far as can be told without reading it: a sentence; None where nothing is."""
        if not self.path.is_file():
            what = "leads to a file that" if self.path.is_symlink() else "is on record, but the file"
            return f"{self.path} {what} is missing."
        if self.record is None and os.path.lexists(record_path(self.path)):
            return f"Its record {record_path(self.path)} cannot be read, so nobody knows what was pulled."
        return None


class Registry:
    """The models folder. It need not exist; nothing is made in it before something is pulled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def models(self) -> list[LocalModel]:
        """Every GGUF file in the folder, by name. A name is the shortest that finds no other file."""
        paths = list(self._paths())
        short = [self._short_name(path) for path in paths]
        typed = [f"{name}:{type_in_name(path.stem) or ''}".rstrip(":") for name, path in zip(short, paths, strict=True)]
        models = []
        for path, name, with_type in zip(paths, short, typed, strict=True):
            best = name if _once(name, short) else with_type if _once(with_type, typed) else self._relative(path)
            models.append(LocalModel(best, path, read_record(path)))
        return sorted(models, key=lambda model: (model.name.casefold(), str(model.path)))

    def missing(self) -> list[LocalModel]:
        """Models of which only a record is here, or a link that leads nowhere, by their path in this folder.

        An interrupted pull that was just putting one in its place will.
        """
        gone = [path for path in self._paths(whole=False) if not path.exists()]
        models = [LocalModel(self._relative(path), path, read_record(path)) for path in gone]
        return [
            model
            for model in models
            if model.record is None or not self.leftovers(model.record.source.removeprefix("hf://"))
        ]

    def matching(self, name: str, aliases: Iterable[str] = ()) -> list[LocalModel]:
        """The models a name means, the likeliest first.

        A name is the file's without ``.gguf``, the same without its type, ``OWNER/NAME``, or the path inside the
        folder; ``:TYPE`` behind it narrows it down. ``aliases`` are other names of the same model.
        """
        bare, wanted_type = split_type(name)
        keys = {key.casefold() for key in (name, bare, *aliases)}
        found = [
            (self._match(model.path, keys), preference(model.type), len(model.path.name), model)
            for model in self.models()
            if wanted_type in (None, model.type) or name.casefold() in self._exact_names(model.path)
        ]
        ranked = sorted((item for item in found if item[0]), key=lambda item: (*item[:3], item[3].name))
        return [model for *_, model in ranked]

    def leftovers(self, repository: str, file_type: str | None = None) -> list[Path]:
        """The folders of interrupted pulls of ``OWNER/NAME``, in a type or in all."""
        folder = self.folder / _PULL_FOLDER / _folder_name(repository)
        if folder.parent.is_symlink() or folder.is_symlink():
            return []
        return [path for path in _folders(folder) if file_type in (None, path.name)]

    def interrupted(self) -> list[tuple[str, str, Path]]:
        """Repository, type and folder of every pull that is going on, or was interrupted."""
        pulls = self.folder / _PULL_FOLDER
        if pulls.is_symlink():
            return []
        names = [folder.name.replace("--", "/") for folder in _folders(pulls)]
        return [(name, folder.name, folder) for name in names for folder in self.leftovers(name)]

    def work_folder(self, repository: str, file_type: str) -> Path:
        """Where a pull of ``OWNER/NAME`` keeps what is not finished."""
        return self.folder / _PULL_FOLDER / _folder_name(repository) / file_type

    def remove(self, model: LocalModel) -> None:
        """Remove a model's file (of a link, only the link), its record, what is left of it, and folders now empty.

        Raises:
            OutputError: it cannot be removed, or does not lie in this folder.
        """
        if not self._is_inside(model.path):
            raise OutputError(f"{model.path} is not in the models folder {self.folder}: remove it yourself.")
        try:
            model.path.unlink(missing_ok=True)
            record_path(model.path).unlink(missing_ok=True)
            self._remove_empty(model.path.parent)
        except OSError as error:
            raise OutputError(f"{model.path} cannot be removed: {error.strerror or error}.") from error

    def remove_leftovers(self, repository: str, file_type: str | None = None) -> None:
        """Remove what interrupted pulls of ``OWNER/NAME`` left, in a type or in all.

        Raises:
            OutputError: it cannot be removed, or a pull is going on.
        """
        for folder in self.leftovers(repository, file_type):
            try:
                with working_in(folder):
                    shutil.rmtree(folder)
                self._remove_empty(folder.parent)
            except OSError as error:
                raise OutputError(f"{folder} cannot be removed: {error.strerror or error}.") from error

    def _paths(self, *, whole: bool = True) -> Iterator[Path]:
        find = _gguf_files if whole else _traces
        yield from find(self.folder)
        for owner in _folders(self.folder):
            for name in _folders(owner):
                yield from find(name)

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _short_name(self, path: Path) -> str:
        folder = path.parent.relative_to(self.folder).as_posix()
        return without_type(path.stem) if folder == "." else folder

    def _exact_names(self, path: Path) -> set[str]:
        relative = self._relative(path).casefold()
        return {relative, relative.removesuffix(".gguf")}

    def _match(self, path: Path, keys: set[str]) -> int:
        """1 for the file's own name, 2 for that of its model, 0 for neither."""
        if keys & self._exact_names(path):
            return 1
        return 2 if self._short_name(path).casefold() in keys else 0

    def _is_inside(self, path: Path) -> bool:
        return any(path == known for whole in (True, False) for known in self._paths(whole=whole))

    def _remove_empty(self, folder: Path) -> None:
        while folder != self.folder and folder.is_relative_to(self.folder):
            try:
                folder.rmdir()
            except OSError:  # not empty
                return
            folder = folder.parent


@contextlib.contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Keep other processes from pulling into a folder, or removing it, meanwhile.

    Raises:
        OutputError: one does.
        OSError: the folder cannot be written.
    """
    import filelock

    lock = filelock.FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        what = f"{folder.parent.name.replace('--', '/')} as {folder.name}"
        raise OutputError(f"Another process is just pulling {what}: wait for it, or stop it.") from None
    try:
        yield
    finally:
        lock.release()


def _folder_name(repository: str) -> str:
    """One folder for OWNER/NAME; a hub allows no ``--`` in either."""
    return repository.replace("/", "--")


def _once(name: str, names: list[str]) -> bool:
    return sum(name.casefold() == other.casefold() for other in names) == 1


def _gguf_files(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(path for path in folder.glob("*.gguf") if path.is_file() and not path.name.startswith("."))
    return []


def _traces(folder: Path) -> list[Path]:
    """Where GGUF files are, or were as a record or a link says."""
    with contextlib.suppress(OSError):
        names = {path.name.removesuffix(".json") for path in folder.iterdir() if not path.name.startswith(".")}
        return sorted(folder / name for name in names if name.endswith(".gguf"))
    return []


def _folders(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(
            path
            for path in folder.iterdir()
            if path.is_dir() and not path.is_symlink() and not path.name.startswith(".")
        )
    return []
