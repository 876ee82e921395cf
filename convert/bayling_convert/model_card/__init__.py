"""The model card that is uploaded with a file."""
