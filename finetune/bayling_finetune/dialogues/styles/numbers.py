"""Small numbers in figures and in words, where they certainly count things: ``3 books``, ``drei Bücher``, ``三本书``.

Nothing is changed in a text that has other numbers, too: all of them must follow the style that was asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bayling_finetune.dialogues.numerals import in_words, number
from bayling_finetune.dialogues.styles.values import Variant
from bayling_finetune.dialogues.wording import Style


@dataclass(frozen=True, slots=True)
class _Rules:
    """``after``: what follows a number that counts things. ``other``: what is a number, too, or part of one."""

    words: str
    after: str
    other: re.Pattern[str]


_MEASURES = "个本天年次岁只张条件位名块杯瓶辆匹封首棵颗双支家间座台把斤公里米元倍层行页章遍趟"
_RULES = {
    "en": _Rules(
        r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b",
        r"(?= (?!(?:was|has|his|its|as|does|always|perhaps|sometimes)\b)[a-z]+(?<![isu])s\b"
        r"| (?:people|m[ea]n|women|children)\b)",
        re.compile(
            r"\b(?:one|first|second|third|\w+teen|\w+ty|hundreds?|thousands?|millions?|dozens?|half|quarter|zero|"
            r"fourth|fifth|sixth|seventh|eighth|ninth|tenth)\b",
            re.I,
        ),
    ),
    "de": _Rules(
        r"\b(?:zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf)\b",
        r"(?= [A-ZÄÖÜ][a-zäöüß]{2,}\b(?! (?:und|oder) \w+zig))",
        re.compile(
            r"\b(?:eins|null|erste\w*|zweite\w*|dritte\w*|hundert\w*|tausend\w*|\w+zehn|\w+zig|dutzend\w*|halb\w*|"
            r"Million\w*|Viertel\w*|ein\w* (?:oder|bis))\b",
            re.I,
        ),
    ),
    "fr": _Rules(
        r"\b(?:deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze)\b",
        r"(?= (?!(?:les|des|ses|mes|tes|nos|vos|pas|dans|sous|vers|très|mais|puis|plus|moins|sans|chez)\b)"
        r"[a-zà-ÿœ]{2,}[sx]\b)",
        re.compile(
            r"\b(?:zéro|premi\w+|second\w*|\w+ièmes?|treize|quatorze|quinze|seize|vingts?|trente|quarante|cinquante|"
            r"soixante|cents?|mille|millions?|douzaines?|demie?|quart|dizaines?|tous les|toutes les|une? (?:ou|à))\b",
            re.I,
        ),
    ),
    "zh": _Rules(
        r"(?<![第几数点零〇一二三四五六七八九十百千万亿两星期周月])[两三四五六七八九](?![零〇一二三四五六七八九十百千万亿])",
        rf"(?=[{_MEASURES}])",
        re.compile(rf"[零〇十百千万亿半几]|[一二][{_MEASURES}点]|第[一二三]"),
    ),
}
_WORDS_BEFORE = {
    # Names of numbers, not counts: "page 3 books", "at 7".
    "en": r"(?<!page )(?<!chapter )(?<!number )(?<!room )",
    "de": r"(?<!Seite )(?<!Kapitel )(?<!Nummer )(?<!Zimmer )",
    "fr": r"(?<!page )(?<!chapitre )(?<!numéro )(?<!chambre )",
    "zh": "",
}
_BORDER = r"(?<![\w.,:/+\-–])", r"(?![\w.,:/%°€$£+\-–])"


def variants(text: str, code: str) -> list[Variant]:
    """The text with figures for its number words, or with words for its figures."""
    rules = _RULES.get(code)
    if rules is None or rules.other.search(text):
        return []
    has_figures = any(character.isdigit() for character in text)
    words = re.findall(rules.words, text, re.I)
    if has_figures == bool(words):
        return []
    if words:
        changed, count = _figures(text, code, rules)
        style, back = Style.NUMERALS, Style.NUMBER_WORDS
    else:
        changed, count = _spelled(text, code, rules)
        style, back = Style.NUMBER_WORDS, Style.NUMERALS
        words = re.findall(r"\d+", text)
    return [Variant(changed, style, back)] if count == len(words) else []


def _figures(text: str, code: str, rules: _Rules) -> tuple[str, int]:
    # A word with a capital letter begins a sentence, where figures do not stand well, or is a name.
    left = _BORDER[0] if code != "zh" else ""
    return re.subn(f"{left}{rules.words}{rules.after}", lambda match: str(number(match[0], code)), text)


def _spelled(text: str, code: str, rules: _Rules) -> tuple[str, int]:
    count = 0

    def word(match: re.Match[str]) -> str:
        nonlocal count
        value = int(match[0])
        said = "两" if code == "zh" and value == 2 else in_words(value, code)
        if said is None or value < 2 or not match.start() or (code == "zh" and value == 10):
            return match[0]
        count += 1
        return said

    left, right = _BORDER if code != "zh" else (r"(?<![\d.第])", "")
    pattern = rf"{left}{_WORDS_BEFORE[code]}[1-9]\d?(?!\d){right}{rules.after}"
    return re.sub(pattern, word, text), count
