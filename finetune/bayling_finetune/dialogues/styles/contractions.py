"""English: ``don't`` and ``do not``, where it is certain what stands for what.

Uncertain, and left alone: ``he'd`` (had, would), ``Tom's`` (is, has, a genitive), ``he's`` before most words, ``don't``
before its subject (``don't you`` is not ``do not you``), full forms that bear the stress (``yes, I am``).
"""

from __future__ import annotations

import re

from bayling_finetune.dialogues.styles.values import Variant
from bayling_finetune.dialogues.wording import Style

_NEGATED = {
    "can't": "cannot",
    "won't": "will not",
    "shan't": "shall not",
    **{
        f"{verb}n't": f"{verb} not"
        for verb in (
            *("do", "does", "did", "is", "are", "was", "were", "have", "has", "had"),
            *("could", "would", "should", "must", "need"),
        )
    },
}
_VERBS = {
    "I'm": "I am",
    "let's": "let us",
    **{f"{subject}'re": f"{subject} are" for subject in ("you", "we", "they")},
    **{f"{subject}'ve": f"{subject} have" for subject in ("I", "you", "we", "they")},
    **{
        f"{subject}'ll": f"{subject} will" for subject in ("I", "you", "he", "she", "it", "we", "they", "that", "there")
    },
}
_IS_SUBJECT = r"(?:it|that|he|she|there|here|what|where|who|how)"
# After these, 's is certainly an "is": what follows is no participle.
_AFTER_IS = (
    r"(?:a|an|the|not|my|your|his|her|our|their|too|very|so|just|in|on|at|no|time|up to|"
    r"(?!\w*thing\b)\w{2,}ing)\b"
)
_SUBJECTS = frozenset(("i", "you", "he", "she", "it", "we", "they", "that", "this", "there", "who", "which"))
_AFTER_INVERSION = frozenset(
    (
        *("i", "you", "he", "she", "it", "we", "they", "there", "this", "that", "these", "those", "the", "a", "an"),
        *("my", "your", "his", "her", "our", "their", "its", "anyone", "anybody", "everyone", "everybody", "someone"),
        *("somebody", "one", "all", "some", "any", "people"),
    )
)
_APOSTROPHE = r"['’]"
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_IS = re.compile(rf"\b({_IS_SUBJECT}){_APOSTROPHE}s(?= {_AFTER_IS})", re.I)
_KNOWN_APOSTROPHE = re.compile(rf"\bo{_APOSTROPHE}clock\b", re.I)
_FULL_FORM = re.compile(
    r"\b(?:can|will|shall|do|does|did|is|are|was|were|have|has|had|could|would|should|must|need|am) not\b|\bcannot\b"
    r"|\b(?:I am|let us|(?:you|we|they) are|(?:I|you|we|they) have|(?:he|she|it|that|there|what|where|who) (?:is|has)"
    r"|(?:I|you|he|she|it|we|they|that|there) (?:will|would|had))\b",
    re.I,
)
# Full forms that are shortened: before a word that shows that they are not stressed.
_BEFORE_WEAK = r"(?= (?:a|an|the|not|very|so|too|just|going|sure|sorry|afraid|glad|happy|tired|in|on|at)\b)"
_SHORTENED = {
    re.compile(rf"\bI am{_BEFORE_WEAK}"): "I'm",
    re.compile(rf"\b(you|we|they) are{_BEFORE_WEAK}", re.I): r"\1're",
    re.compile(rf"\b(he|she|it|that|there) is{_BEFORE_WEAK}", re.I): r"\1's",
    re.compile(r"\b(I|you|he|she|we|they) will(?= (?!not\b)[a-z]+)", re.I): r"\1'll",
    re.compile(r"\bcannot\b"): "can't",
    re.compile(r"\bCannot\b"): "Can't",
    re.compile(r"\b(W)ill not\b", re.I): r"\1on't",
    re.compile(r"\b(do|does|did|is|are|was|were|has|had|could|would|should) not\b", re.I): r"\1n't",
    re.compile(r"\b(have) not(?= \w+(?:ed|en|wn|one|een|ad|et)\b)", re.I): r"\1n't",
}


def variants(text: str) -> list[Variant]:
    """The English text without contractions, or with them."""
    full = expanded(text)
    if full is not None:
        return [Variant(full, Style.FULL_FORMS, None if _FULL_FORM.search(text) else Style.CONTRACTIONS)]
    short = contracted(text)
    if short is not None:
        return [Variant(short, Style.CONTRACTIONS, Style.FULL_FORMS if expanded(short) == text else None)]
    return []


def expanded(text: str) -> str | None:
    """The text with every contraction written out; None where there is none, or one that is not certain."""
    found = False
    result: list[str] = []
    place = 0
    marked = _KNOWN_APOSTROPHE.sub(lambda match: match[0].replace("'", "_").replace("’", "_"), text)
    for word in _WORD.finditer(marked):
        if "'" not in word[0] and "’" not in word[0]:
            continue
        full = _full_form(marked, word)
        if full is None:
            return None
        found = True
        result += (text[place : word.start()], full)
        place = word.end()
    rest = text[place:]
    # A lone apostrophe may be a cut-off word, or a quotation mark: nothing is changed around those.
    if not found or re.search(r"(?<!\w)['’]|['’](?!\w)", marked):
        return None
    return "".join(result) + rest


def contracted(text: str) -> str | None:
    """The text with contractions for certain full forms; None where there are none, or where it has contractions."""
    if "'" in text or "’" in text:
        return None
    short = text
    for pattern, replacement in _SHORTENED.items():
        short = pattern.sub(replacement, short)
    return short if short != text else None


def _full_form(text: str, word: re.Match[str]) -> str | None:
    plain = word[0].replace("’", "'")
    lower = plain.casefold()
    full = _VERBS.get(plain) or _VERBS.get(lower)
    if lower in _NEGATED and _is_not_inverted(text, word):
        full = _NEGATED[lower]
    elif _IS.match(text, word.start()) and text[word.end()] == " ":
        full = f"{lower.removesuffix(chr(39) + 's')} is"
    if full is None or (plain.isupper() and len(plain) > 3):
        return None
    return full[0].upper() + full[1:] if plain[0].isupper() else full


def _is_not_inverted(text: str, word: re.Match[str]) -> bool:
    """Whether the subject does not come after the verb, as in ``don't you``."""
    before = re.search(r"([^\W\d_]+) $", text[: word.start()])
    if before is not None and before[1].casefold() in _SUBJECTS:
        return True
    after = re.match(r" ([^\W\d_]+)", text[word.end() :])
    if after is None:
        # "Tom can't." is a statement; a question could be anything.
        return before is not None and "?" not in text
    return "?" not in text and after[1].islower() and after[1] not in _AFTER_INVERSION
