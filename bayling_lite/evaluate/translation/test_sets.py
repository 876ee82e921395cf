"""Test sets of the user's: from files, or from sacreBLEU by their names."""

from __future__ import annotations

import contextlib
import socket
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.data import read_lines
from bayling_lite.evaluate.translation.parallel_set import ParallelSet, check_paired
from bayling_lite.languages import find_language

if TYPE_CHECKING:
    from sacrebleu.dataset.base import Dataset

_PATIENCE = 30.0
"""Seconds without a byte after which a download is given up."""


def set_from_files(
    source: Path | None, references: Sequence[Path], from_: str, to: str, *, name: str = ""
) -> ParallelSet:
    """A test set from text files, a sentence a line.

    Args:
        source: None where outputs made elsewhere are to be scored without it.
        references: a file for each translator.
        from_: the code or name of the source's language.
        to: of the references'.
        name: what the set is called; its direction is added. Else it is called after the source, or the reference.

    Raises:
        UsageError: an unknown language (the message lists the known ones), no reference, or the same language twice.
        InputError: a file cannot be read, is empty, or has another number of lines than the first.
    """
    source_language, target_language = find_language(from_), find_language(to)
    if not references:
        raise UsageError("There is nothing to compare with: name at least one file with --reference.")
    paths = [*([source] if source else []), *references]
    texts = [tuple(read_lines(path)) for path in paths]
    for path, lines in zip(paths, texts, strict=True):
        if not lines:
            raise InputError(f"{path} is empty: there is no line in it.")
        check_paired(path, lines, paths[0], len(texts[0]))
    direction = f"{source_language.code}-{target_language.code}"
    return ParallelSet(
        name=f"{(name or paths[0].stem).removesuffix(f'.{direction}')}.{direction}",
        source=source_language,
        target=target_language,
        sources=texts[0] if source else (),
        references=tuple(texts[1:] if source else texts),
        origin=str(references[0]),
    )


def set_from_sacrebleu(name: str, pair: str, *, offline: bool = False) -> ParallelSet:
    """A test set that sacreBLEU knows, downloaded by it where it is not on this machine yet.

    Its folder is ``~/.sacrebleu``, or what the environment variable ``SACREBLEU`` says.

    Args:
        name: sacreBLEU's name of the set: ``wmt21``, ``wmt17/improved``.
        pair: the codes of source and target: ``en-de``.
        offline: use what is there, and never the network.

    Raises:
        UsageError: sacreBLEU is not installed, knows no such set or pair, or the set cannot be downloaded.
        InputError: what is there is damaged.
    """
    dataset = _dataset(name, pair)
    from_, to = map(find_language, pair.split("-", 1))
    source, references = _paths(dataset, pair, offline=offline)
    test_set = set_from_files(source, references, from_.code, to.code, name=name)
    return ParallelSet(f"{name}.{pair}", from_, to, test_set.sources, test_set.references, f"sacreBLEU's {name} {pair}")


def _dataset(name: str, pair: str) -> Dataset:
    try:
        from sacrebleu.dataset import DATASETS
    except ImportError as error:
        raise UsageError("Test sets of sacreBLEU need it: pip install 'bayling-lite[evaluate]'") from error
    if name not in DATASETS:
        raise UsageError(f"sacreBLEU has no test set {name!r}. It has: {', '.join(DATASETS)}.")
    dataset: Dataset = DATASETS[name]
    pairs: Any = dataset.langpairs
    if pair not in pairs:
        raise UsageError(f"sacreBLEU's {name} has no pair {pair!r}. It has: {', '.join(sorted(pairs))}.")
    return dataset


def _paths(dataset: Dataset, pair: str, *, offline: bool) -> tuple[Path, list[Path]]:
    """The source's file and the references', downloaded now if need be."""
    import portalocker

    failures = (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, portalocker.LockException)
    # What a broken archive makes of sacreBLEU: not unpacked, of another structure, or of another checksum (SystemExit).
    damage = (FileNotFoundError, SyntaxError, ValueError, KeyError, AssertionError, SystemExit)
    run = f"sacrebleu --test-set {dataset.name} --language-pair {pair} --echo src"
    folder = Path(dataset._outdir)
    untyped: Any = dataset
    try:
        if offline and not _is_here(dataset, pair):
            raise OSError("the network is not to be used (BAYLING_OFFLINE)")
        with _patience():
            source, references = untyped.get_source_file(pair), untyped.get_reference_files(pair)
    except damage as error:
        raise InputError(f"What is in {folder} is damaged. Remove that folder, and run: {run}") from error
    except failures as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise UsageError(
            f"The test set {dataset.name} {pair} is not in {folder} and cannot be downloaded: {why}. Where there is a "
            f"network, run: {run} (and take the folder {folder} along, to the folder that SACREBLEU names)."
        ) from error
    return Path(source), [Path(path) for path in references]


def _is_here(dataset: Dataset, pair: str) -> bool:
    """Whether nothing has to be downloaded: what comes from the network, or what was made of it, is in the folder."""
    from sacrebleu.dataset.wmt_xml import WMTXMLDataset

    untyped: Any = dataset
    raw = [Path(dataset._rawdir, untyped._get_tarball_filename(url)) for url in dataset.data or ()]
    if all(path.is_file() and path.stat().st_size for path in raw):
        return True
    if isinstance(dataset, WMTXMLDataset):
        return False  # it reads the XML each time
    return all(Path(untyped._get_txt_file_path(pair, field)).is_file() for field in dataset.fieldnames(pair))


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    """Let no download hang for ever: sacreBLEU sets no limit."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
