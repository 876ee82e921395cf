"""The chat: one conversation that translates, refines and talks.

``session`` holds the turns and knows no terminal; ``reading`` reads the user's lines; ``commands`` is the table of
``/commands``; ``driver`` does what lines say; ``screens`` show it, in a terminal, as plain text or as JSON; ``records``
keep it.
"""
