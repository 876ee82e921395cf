"""Turn a Hugging Face LLaMA checkpoint into one GGUF file that says how to talk to it.

``pipeline.convert`` is the whole way in one function; read it first. On it stand

- ``files``, ``checkpoint``, ``safetensors_file``, ``torch_file``, ``vocab``: what is in the checkpoint
- ``sources``, ``delta``, ``lora``: what is put onto its tensors; ``adapter``: a LoRA as a file of its own
- ``tensor_map``, ``quantize``, ``ggml``, ``imatrix``: what becomes of each tensor
- ``metadata``, ``layout``, ``work``, ``output``: the file, and that it appears whole or not at all
- ``calibration``, ``collect``: which columns matter; ``verify``: what a quantization costs; ``card``: the model card

Neither torch nor transformers is imported.
"""

from bayling_convert.adapter import convert_adapter
from bayling_convert.checkpoint import Provenance
from bayling_convert.files import CheckpointFiles, Folder
from bayling_convert.pipeline import Converted, convert
from bayling_convert.quantize import FileType
from bayling_convert.work import Progress

__all__ = ["CheckpointFiles", "Converted", "FileType", "Folder", "Progress", "Provenance", "convert", "convert_adapter"]
