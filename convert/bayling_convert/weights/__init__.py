"""What becomes of each tensor: what is put onto it, its name and order in a GGUF, and its quantization."""
