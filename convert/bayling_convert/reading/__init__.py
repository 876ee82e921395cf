"""What is in a checkpoint: its files, its configuration, and where its tensors stand."""
