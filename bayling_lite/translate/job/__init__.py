"""A document's way through: cut, asked for, remembered, written, reported."""
