"""Turn a Hugging Face LLaMA checkpoint into one GGUF file that says how to talk to it.

``pipeline.convert`` is the whole way in one function; read it first. On it stand

- ``reading``: the checkpoint's files, here or far away, its configuration and where its tensors are
- ``tokenizer``: SentencePiece or byte-level BPE as a GGUF's lists
- ``weights``: differences and LoRA adapters put onto tensors, their names and order, their quantization
- ``metadata``, ``layout``, ``work``, ``output``: the file, and that it appears whole or not at all
- ``adapter``: a LoRA adapter as a file of its own

and around it ``making``: ``importance`` measures which columns matter, ``proof`` what quantizing cost (also by itself:
``verify``), ``model_card`` writes what is uploaded with the file.

Neither torch nor transformers is imported.
"""

from bayling_convert.adapter import convert_adapter
from bayling_convert.pipeline import Converted, convert
from bayling_convert.reading.files import CheckpointFiles, Folder
from bayling_convert.reading.provenance import Provenance
from bayling_convert.weights.quantize import FileType
from bayling_convert.work import Progress, Step

__all__ = [
    "CheckpointFiles",
    "Converted",
    "FileType",
    "Folder",
    "Progress",
    "Provenance",
    "Step",
    "convert",
    "convert_adapter",
]
