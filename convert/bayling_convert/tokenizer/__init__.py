"""A checkpoint's tokenizer, in any of its published forms, as the lists that a GGUF holds."""
