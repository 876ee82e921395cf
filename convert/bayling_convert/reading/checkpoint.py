"""A Hugging Face LLaMA checkpoint: its configuration, its tensors, and what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bayling_convert.reading.configuration import HyperParameters, read_hyper_parameters
from bayling_convert.reading.files import CheckpointFiles
from bayling_convert.reading.json_files import read_json
from bayling_convert.reading.provenance import Provenance, read_provenance
from bayling_convert.reading.stored import StoredTensor
from bayling_convert.reading.weight_files import read_all_tensors
from bayling_lite.errors import CheckpointError


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """An opened checkpoint: of its tensors only the headers have been read."""

    files: CheckpointFiles
    hyper: HyperParameters
    tensors: Mapping[str, StoredTensor]
    provenance: Provenance
    chat_template: str | None = None
    tokenizer_config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What to call the model."""
        return self.provenance.name or self.files.name


def open_checkpoint(files: CheckpointFiles) -> Checkpoint:
    """Open a checkpoint as ``save_pretrained`` leaves it.

    Raises:
        CheckpointError: files missing or damaged, or the model is not a LLaMA.
    """
    config = read_json(files, "config.json")
    if config is None:
        raise CheckpointError(f"{files.where} has no config.json, so it is not a Hugging Face checkpoint.")
    tokenizer_config = read_json(files, "tokenizer_config.json") or {}
    return Checkpoint(
        files=files,
        hyper=read_hyper_parameters(files, config),
        tensors=read_all_tensors(files),
        provenance=read_provenance(files),
        chat_template=_chat_template(files, tokenizer_config),
        tokenizer_config=tokenizer_config,
    )


def _chat_template(files: CheckpointFiles, tokenizer_config: Mapping[str, Any]) -> str | None:
    """The checkpoint's own Jinja template: a file of its own in newer checkpoints, inside the JSON in older ones."""
    data = files.read("chat_template.jinja")
    if data is not None:
        try:
            return data.decode()
        except ValueError as error:
            path = files.path("chat_template.jinja")
            raise CheckpointError(f"{path} cannot be read as UTF-8 text: {error}.") from error
    value = tokenizer_config.get("chat_template")
    if isinstance(value, list):
        named = [entry for entry in value if isinstance(entry, dict)]
        value = next((entry.get("template") for entry in named if entry.get("name") == "default"), None)
    return value if isinstance(value, str) else None
