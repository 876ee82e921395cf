"""Dialogues to learn from, after the BayLing paper (arXiv 2306.10968): built from parallel text, or imported.

::

    values          a sentence to translate; a conversation to learn from, and its line in a file
    sources/        parallel text of several formats; filters.py and contamination.py say what is left out of it
    words, alignment        which words of a sentence correspond to which of its translation
    wording/        what users say, in four languages
    kinds/          one maker for each kind of dialogue; tools.py is what they work with
    builder         directions in, dialogues out; corpus.py makes the tools for it
    building        a whole build: screening, making, output, by several processes (pool); report on it
    drafts          a model's real drafts, to be corrected
    writer/         freer dialogues, written by a language model
    importing, mixing       conversations of other collections; parts of several files as one
"""
