"""Fine-tuning: dialogues from parallel text, and a trainer whose packing is exact and whose runs resume bit for bit."""
