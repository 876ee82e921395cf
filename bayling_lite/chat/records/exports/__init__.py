"""Sessions as files: Markdown to read, JSON to go on with, TMX for translation memories, dialogues to train on."""
