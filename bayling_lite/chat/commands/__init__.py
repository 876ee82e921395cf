"""The commands that begin with a slash."""
