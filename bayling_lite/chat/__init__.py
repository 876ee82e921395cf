"""The chat: one conversation that translates, refines and talks.

``session`` holds the turns and knows no terminal; ``feedback`` and ``instructions`` read the user's lines; ``commands``
is the table of ``/commands``; ``repl`` shows it all in a terminal, ``plain`` in a pipe.
"""
