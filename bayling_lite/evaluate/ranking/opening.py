"""Opening a study by its name: begun once from outputs, then gone on with as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.ranking.dealing import new_study
from bayling_lite.evaluate.ranking.reading import Outputs, changed_inputs, from_files, from_results
from bayling_lite.evaluate.ranking.store import StudyStore
from bayling_lite.evaluate.ranking.values import Aspect, Input


@dataclass(frozen=True, slots=True)
class Making:
    """What a study is to be made of, as its owner says it.

    ``systems`` are names of systems in the results folder, which have been measured on ``set_name``
    (``FAMILY/SET``), or ``SYSTEM=FILE``, the outputs of which belong to the lines of ``source``. People can open the
    references of a ``reference`` file, and with ``show_references`` those in the results. The rest as in
    :func:`~bayling_lite.evaluate.ranking.dealing.new_study`.
    """

    systems: tuple[str, ...] = ()
    set_name: str | None = None
    source: Path | None = None
    reference: Path | None = None
    show_references: bool = False
    aspects: tuple[Aspect, ...] = ()
    n_items: int | None = None
    seed: int | None = None

    @property
    def says_something(self) -> bool:
        """Whether anything was said at all."""
        return self != Making()


def open_study(out: Path, name: str, making: Making) -> tuple[StudyStore, bool]:
    """The study of this name in a results folder, and whether it was begun now.

    Raises:
        InputError: an input cannot be read.
        OutputError: the study cannot be written.
        UsageError: there is none and nothing says what to make it of, or it was begun with something else.
    """
    path = StudyStore.place(out, name)
    begun = path.exists()
    if not begun and not making.says_something:
        raise UsageError(
            f"There is no study {name} in {out}. To begin it, say what to rank: --set FAMILY/SET, or SYSTEM=FILE twice "
            "or more with --source."
        )
    # Read before a file is made, so that a slip leaves none behind.
    outputs = _outputs(out, making) if making.says_something and not _left_out(making, begun) else None
    store = StudyStore(path)
    try:
        return store, _prepare(store, name, outputs, making)
    except BaseException:
        store.close()
        raise


def look_at_study(out: Path, name: str) -> StudyStore:
    """The study of this name, to read.

    Raises:
        InputError: there is none, or it is damaged.
    """
    path = StudyStore.place(out, name)
    if not path.exists():
        raise InputError(f"There is no study {name} in {out}. Name the systems to rank, and it is begun.")
    store = StudyStore(path, readonly=True)
    try:
        store.needed()
    except BaseException:
        store.close()
        raise
    return store


def changed_files(store: StudyStore) -> tuple[Path, ...]:
    """The files that say something else than when a study was begun, which keeps what they said then."""
    study = store.needed()
    return changed_inputs(study.inputs, results=bool(study.family))


def _left_out(making: Making, begun: bool) -> bool:
    """Whether a study that there is was named without what it was made of, only with how it was drawn."""
    return begun and not making.systems and making.set_name is None


def _prepare(store: StudyStore, name: str, outputs: Outputs | None, making: Making) -> bool:
    """Freeze a new study; of an old one, see that it is the one that is meant. Whether it is new."""
    study = store.study()
    if study is None and outputs is not None:
        drawn, items = new_study(
            name,
            outputs,
            aspects=making.aspects,
            n_items=making.n_items,
            seed=making.seed,
            references=making.show_references or making.reference is not None,
        )
        store.freeze(drawn, items)
        return True
    _check_same(store, outputs, making)
    return False


def _check_same(store: StudyStore, outputs: Outputs | None, making: Making) -> None:
    """What is said of an old study has to be what it was made of."""
    study = store.needed()
    pairs: list[tuple[str, object, object]] = [
        ("--items", making.n_items or study.n_items, study.n_items),
        ("--seed", study.seed if making.seed is None else making.seed, study.seed),
        ("--aspect", set(making.aspects or study.aspects), set(study.aspects)),
    ]
    if making.show_references:
        pairs.append(("--show-references", True, any(item.reference for item in store.items())))
    if outputs is not None:
        pairs += [
            ("the systems", outputs.systems, study.systems),
            ("--set", (outputs.family, outputs.set_name), (study.family, study.set_name)),
            ("the files", _same_files(outputs.inputs, study.inputs), True),
        ]
    different = [what for what, wanted, is_ in pairs if wanted != is_]
    if different:
        raise UsageError(
            f"The study {study.name} was begun with something else as {' and '.join(different)}, and a study never "
            "changes. Give its name alone to go on with it, or begin another study, under another name."
        )


def _same_files(named: Sequence[Input], old: Sequence[Input]) -> bool:
    """Whether these are the files of a study: by their places, whatever is in them now; or by what is in them."""
    places = {(each.system, each.path) for each in old}
    contents = {(each.system, each.digest) for each in old}
    known = [(each.system, each.path) in places or (each.system, each.digest) in contents for each in named]
    return len(named) == len(old) and all(known)


def _outputs(out: Path, making: Making) -> Outputs:
    files = [name.split("=", 1) for name in making.systems if "=" in name]
    if making.set_name is None and files and len(files) == len(making.systems):
        return from_files(_by_system(files), source=making.source, reference=making.reference)
    family, slash, set_name = (making.set_name or "").partition("/")
    if files or not slash or making.source is not None or making.reference is not None:
        raise UsageError(
            "Say what to rank in one of two ways: --set FAMILY/SET and systems of the results folder by name, or "
            "SYSTEM=FILE twice or more with --source."
        )
    return from_results(out, family, set_name, making.systems)


def _by_system(files: Sequence[Sequence[str]]) -> dict[str, Path]:
    named = {system.strip(): Path(path) for system, path in files}
    if len(named) < len(files) or not all(named):
        raise UsageError("Every system needs a name of its own: NAME=FILE.")
    return named
