"""A model's answer made a translation: what chat models put around one is taken off."""

from __future__ import annotations

import re

from bayling_lite.translate.sentences import ends_sentence

_QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“", "«": "»", "»": "«", "「": "」", "『": "』", "‘": "’", "‚": "‘"}
_LANGUAGE = r"(?:[A-ZÀ-Þ]\w+\s+)?"
# "Translation:", "Here is the Chinese translation:", "Die deutsche Übersetzung lautet:", 译文：
_PREFIX = re.compile(
    rf"""(?ix)^\s*[*_]*(?:
        (?:(?:sure|certainly|of\ course)[,!.]\s*)?(?:here\ is|here's|this\ is)\s+(?:the|a|your)\s+
            [^:：\n]{{0,40}}translation[^:：\n]{{0,60}}
        | (?:the\s+)?{_LANGUAGE}translation(?:\s+(?:of|into|in|for)\s[^:：\n]{{0,60}})?(?:\s+is)?
        | (?:(?:hier\ ist\s+)?die\s+)?(?:\w+\s+)?übersetzung(?:\s+(?:lautet|ist))?
        | (?:(?:voici\s+)?la\s+)?traduction(?:\s+(?:en\s)?\w+)?(?:\s+est)?
        | (?:以下是|这是)?[^:：\n]{{0,12}}(?:译文|翻译)(?:如下|是|为)?
    )[*_]*\s*[:：][*_]*\s*"""
)
# What follows a translation and is none, from a line of its own.
_REMARK = re.compile(
    r"\n\s*[(（\[【*_]*(?:note|notes|explanation|translator'?s note|alternatively|or|"
    r"anmerkung|hinweis|erklärung|remarque|note du traducteur|explication|注|注意|说明|解释|注释|备注)"
    r"\s*[*_]*[:：].*\Z",
    re.IGNORECASE | re.DOTALL,
)
# What makes a sentence of what was none: a heading, a cell, a button.
_STOPS = ".。．!！"
_MARKS = re.compile(r"[.!?…:;。．！？：；｡؟।]")


def unwrapped(answer: str, source: str) -> str:
    """An answer without what stands around a translation and does not stand around the source: white space, a heading
    ("Translation:"), quotes around all of it, remarks after it.
    """
    text = answer.strip()
    if not _PREFIX.match(source):
        text = _PREFIX.sub("", text, count=1)
    if "\n" not in source:
        text = _REMARK.sub("", text)
    return _unquoted(text.strip(), source)


def ended_like(text: str, source: str) -> str:
    """A translation without the full stop or exclamation mark at its end, where the source ends with no mark at all: a
    heading has none in the other language either. That of an abbreviation stays, and so do three of them.
    """
    shorter = text[:-1].rstrip()
    if text[-1:] not in _STOPS or not shorter or _MARKS.search(source.rstrip()[-3:]) or _MARKS.match(shorter[-1]):
        return text
    return shorter if ends_sentence(text) else text


def _unquoted(text: str, source: str) -> str:
    """A text without the quotes around it, where the source has none there and they belong together."""
    closing = _QUOTES.get(text[:1])
    if len(text) < 3 or text[-1:] != closing or source[:1] in _QUOTES or source[-1:] in _QUOTES.values():
        return text
    inside = text[1:-1]
    return text if any(mark in inside for mark in (text[0], closing)) else inside.strip()
