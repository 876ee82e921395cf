"""Turn a Hugging Face LLaMA checkpoint into one GGUF file that says how to talk to it.

``pipeline.convert`` is the whole way in one function; read it first. On it stand

- ``checkpoint``, ``safetensors_file``, ``vocab``: what is in the folder
- ``tensor_map``, ``quantize``, ``ggml``: what becomes of each tensor
- ``metadata``, ``output``: what the file says, and that it appears whole or not at all
- ``scoring``, ``verify``: what a quantization costs in perplexity

Neither torch nor transformers is imported.
"""

from bayling_convert.pipeline import Converted, Progress, convert
from bayling_convert.quantize import FileType

__all__ = ["Converted", "FileType", "Progress", "convert"]
