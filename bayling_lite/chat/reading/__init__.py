"""How a line is understood: a new text, or feedback; and what the feedback asks for."""
