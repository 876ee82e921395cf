'''Texts of several lines: what stands between """ and """.'''

from __future__ import annotations

BLOCK = '"""'


def opens_block(text: str) -> bool:
    '''Whether a text begins with ``"""`` and has not been ended by another.'''
    text = text.strip()
    return text.startswith(BLOCK) and (len(text) < 2 * len(BLOCK) or not text.endswith(BLOCK))


def block_text(text: str) -> str | None:
    '''What stands between ``"""`` and ``"""``; None when the text is no such block.'''
    if not text.startswith(BLOCK) or opens_block(text):
        return None
    return text[len(BLOCK) : -len(BLOCK)].strip("\n")
