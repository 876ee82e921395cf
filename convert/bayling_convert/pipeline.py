"""From a checkpoint to a GGUF file in one pass.

The checkpoint is opened (its headers only), what is put onto it is found, the whole file is laid out, and then ``work``
takes the tensors through in one go. Memory and disk stay bounded whatever the model's size.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from gguf import GGUFWriter

from bayling_convert.layout import Layout, lay_out
from bayling_convert.metadata import add_metadata, find_stops, find_template
from bayling_convert.output import check_place, whole_file
from bayling_convert.reading.checkpoint import Checkpoint, open_checkpoint
from bayling_convert.reading.files import CheckpointFiles, Folder
from bayling_convert.reading.provenance import Provenance, read_provenance
from bayling_convert.tokenizer.recognize import recognize_template
from bayling_convert.tokenizer.vocab import Vocab, read_vocab
from bayling_convert.weights.delta import add_to_base, as_they_are, looks_like_a_delta
from bayling_convert.weights.lora import is_adapter, merge, open_adapter
from bayling_convert.weights.quantize import FileType, choose_kinds
from bayling_convert.weights.sources import Source
from bayling_convert.weights.tensor_map import MappedTensor, count_parameters, map_tensors
from bayling_convert.work import Progress, silent, write_tensors
from bayling_lite.errors import UsageError
from bayling_lite.prompts import TEMPLATES

if TYPE_CHECKING:
    from bayling_convert.importance.imatrix import Imatrix

_UNCERTAIN = (
    "Nothing in the numbers tells whether this is the base that the difference was taken from. See whether the result "
    "speaks sense before you rely on it."
)
Place = str | os.PathLike[str] | CheckpointFiles
"""A checkpoint: a folder, or files that lie elsewhere."""


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written, and what it says of itself. ``warnings`` are sentences a user should read.

    ``template`` is one of ours by name; ``chat_template`` the checkpoint's own, where it is none of ours. ``stop`` are
    the texts of the tokens that end an answer, ``made`` sentences on what was put together.
    """

    path: Path
    file_type: FileType
    n_bytes: int
    n_tensors: int
    n_parameters: int
    provenance: Provenance
    context_length: int
    template: str | None = None
    chat_template: str | None = None
    stop: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Model:
    """A checkpoint together with what is put onto it; ``tokenizer`` is the one whose tokenizer counts."""

    checkpoint: Checkpoint
    sources: Mapping[str, Source]
    tokenizer: Checkpoint
    made: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()


class Additions(TypedDict, total=False):
    """What :func:`convert` is told of a checkpoint besides: its arguments of these names."""

    base: Place | None
    template: str | None
    provenance: Provenance | None


def convert(
    checkpoint: Place,
    output: str | os.PathLike[str],
    file_type: FileType | str | None = FileType.Q4_K_M,
    *,
    base: Place | None = None,
    template: str | None = None,
    provenance: Provenance | None = None,
    imatrix: Imatrix | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Converted:
    """Write a Hugging Face LLaMA checkpoint as one GGUF file.

    The tensors are bit for bit those of llama.cpp's two steps (``convert_hf_to_gguf.py``, then ``llama-quantize``).
    What has to be fetched is kept when the work is interrupted, and the same call goes on from there.

    Args:
        checkpoint: a folder (or other files) with ``config.json``, a tokenizer, the weights and perhaps
            ``bayling.json``; or a LoRA adapter or a difference between two checkpoints, both of which need ``base``.
        output: the file to write; it appears whole or not at all.
        file_type: how the weights are stored; None as they are in the checkpoint, of an adapter in its base.
        base: the checkpoint that an adapter or a difference was made for.
        template: name of a prompt template; None takes ``bayling.json``'s or ``provenance``'s, else keeps the
            checkpoint's own chat template.
        provenance: what is known of the model; what its own ``bayling.json`` says counts more.
        imatrix: importance of each column, for smaller errors where it matters.
        overwrite: replace the output if it exists.
        progress: told before anything is read and after every piece of work, in the calling thread.

    Raises:
        CheckpointError: the checkpoint cannot be used.
        OutputError: the file exists, or cannot be written.
        UsageError: an unknown type or template.
        ModelError: ggml's library is missing.
        HubError: what has to be fetched does not come.
    """
    path = Path(output)
    asked = FileType.of(file_type) if isinstance(file_type, str) else file_type
    check_place(path, overwrite=overwrite)
    model = _open(checkpoint, base, provenance or Provenance())
    opened = model.checkpoint
    tensors = map_tensors(opened, model.sources)
    chosen = asked or _stored_type(tensors)
    vocab = read_vocab(model.tokenizer.files, opened.hyper.vocab_size, model.tokenizer.tokenizer_config)
    prompt_template = find_template(opened, template) or recognize_template(vocab, opened.chat_template)
    if imatrix is not None:
        _check_imatrix(imatrix, tensors)
    kinds = choose_kinds(chosen, tensors, opened.hyper, has_imatrix=imatrix is not None)

    writer = GGUFWriter(path=None, arch="llama")
    add_metadata(writer, opened, vocab, prompt_template, chosen, tensors, imatrix)
    layout = lay_out(writer, [(tensor, kinds[tensor.name]) for tensor in tensors])
    job = _job(layout, imatrix) if _is_fetched(layout) else None
    with whole_file(path, n_bytes=layout.n_bytes, overwrite=overwrite, job=job) as part:
        part.write(0, layout.header)
        write_tensors(part, layout, imatrix, progress or silent)
    return Converted(
        path,
        chosen,
        layout.n_bytes,
        len(tensors),
        n_parameters=count_parameters(tensors),
        provenance=replace(opened.provenance, name=opened.name),
        context_length=opened.hyper.context_length,
        template=prompt_template.name if prompt_template else None,
        chat_template=None if prompt_template else opened.chat_template,
        stop=tuple(vocab.pieces[number].text for number in find_stops(vocab, prompt_template).all),
        made=model.made,
        warnings=(*model.caveats, *_warnings(vocab, has_template=bool(prompt_template or opened.chat_template))),
    )


def files_of(place: Place) -> CheckpointFiles:
    """The files of a folder, or those given."""
    return Folder(Path(place)) if isinstance(place, str | os.PathLike) else place


def _open(place: Place, base_place: Place | None, known: Provenance) -> _Model:
    """The checkpoint with an adapter merged or a difference added, as there is one."""
    files = files_of(place)
    if is_adapter(files):
        adapter = open_adapter(files)
        if base_place is None:
            named = f", {adapter.base}" if adapter.base else ""
            raise UsageError(
                f"{files.where} is a LoRA adapter: name the checkpoint it was trained on{named} with --base, "
                "or write the adapter alone with --adapter."
            )
        base = open_checkpoint(files_of(base_place))
        own = read_provenance(files).over(Provenance(name=files.name, base=base.name)).over(known)
        merged = replace(base, provenance=own.over(replace(base.provenance, name=None, url=None)))
        made = f"The LoRA adapter {files.name} was merged into {base.name}."
        return _Model(merged, merge(adapter, base, as_they_are(base)), base, (made,))
    opened = open_checkpoint(files)
    opened = replace(opened, provenance=opened.provenance.over(known))
    if base_place is None:
        if looks_like_a_delta(opened):
            origin = f", {opened.provenance.base}," if opened.provenance.base else ""
            raise UsageError(
                f"{files.where} holds only the difference to the model it was trained from{origin} and is no use "
                "without it: name that model's checkpoint with --base."
            )
        return _Model(opened, as_they_are(opened), opened)
    base = open_checkpoint(files_of(base_place))
    added = add_to_base(opened, base)
    where = base.files.source or base.name
    made = f"The published difference {files.name} was added to its base, {where}."
    tokenizer = opened if {"tokenizer.model", "tokenizer.json"} & files.sizes.keys() else base
    return _Model(opened, added.sources, tokenizer, (made,), () if added.certain else (_UNCERTAIN,))


def _stored_type(tensors: Iterable[MappedTensor]) -> FileType:
    """The number type of the largest weights."""
    stored = [tensor.source.parts[0].tensor for tensor in tensors if tensor.source.parts]
    return FileType(max(stored, key=lambda tensor: tensor.n_bytes).dtype)


def _check_imatrix(imatrix: Imatrix, tensors: Iterable[MappedTensor]) -> None:
    """Find out that an importance matrix is of another model before anything is written."""
    found = [imatrix.importance(tensor.name, tensor.shape[1]) for tensor in tensors if len(tensor.shape) == 2]
    if all(importance is None for importance in found):
        raise UsageError("The importance matrix holds nothing for the tensors of this model: it is of another kind.")


def _is_fetched(layout: Layout) -> bool:
    return any(part.files.remote for planned in layout.tensors for part in planned.tensor.source.parts)


def _job(layout: Layout, imatrix: Imatrix | None) -> str:
    """A digest of all that decides what is written."""
    digest = hashlib.sha256(layout.header)
    if imatrix is not None:
        digest.update(imatrix.digest.encode())
    for planned in layout.tensors:
        digest.update(f"{planned.tensor.source.recipe}\n".encode())
        for part in planned.tensor.source.parts:
            digest.update(f"{part.files.identity(part.tensor.file)} {part.tensor}\n".encode())
    return digest.hexdigest()


def _warnings(vocab: Vocab, *, has_template: bool) -> Iterator[str]:
    yield from vocab.caveats
    if not has_template:
        yield (
            "No prompt template is known of this checkpoint, so the file runs only where one is named. "
            f"Name it here with --template: {', '.join(TEMPLATES)}."
        )
    if spellable := vocab.spellable_specials():
        yield (
            f"Programs on llama.cpp may take the plain text {', '.join(spellable[:3])} for special tokens (bayling "
            "does not): the vocabulary has pieces such a name is made of. Train the tokenizer without them."
        )
