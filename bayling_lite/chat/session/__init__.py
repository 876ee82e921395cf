"""The state of a chat: its turns, what is in force, what the model sees."""
