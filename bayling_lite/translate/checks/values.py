"""Numbers in texts, however they are written: 1,000.5 and 1.000,5, 200万 and 2 million, 三十五, forty, XIV, May."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from bayling_lite.numerals import DIGITS, chinese_number

# A number in digits; spaces and apostrophes only between groups of three.
_DIGITS = re.compile(r"\d+(?:[.,:/\-]\d+|(?:['’]|[ \u00a0\u2009\u202f])\d{3}(?!\d))*")
_SEPARATOR = re.compile(r"[.,:/\-'’ \u00a0\u2009\u202f]")
_SCALES = {
    **dict.fromkeys(("十",), 10),
    **dict.fromkeys(("百", "hundred", "hundert", "cent", "cents"), 100),
    **dict.fromkeys(("千", "thousand", "thousands", "k", "tausend", "mille", "tsd"), 1000),
    **dict.fromkeys(("万", "萬"), 10**4),
    **dict.fromkeys(("million", "millions", "millionen", "m", "mio", "mn", "百万"), 10**6),
    **dict.fromkeys(("千万",), 10**7),
    **dict.fromkeys(("亿", "億"), 10**8),
    **dict.fromkeys(
        ("billion", "billions", "milliard", "milliards", "milliarde", "milliarden", "mrd", "bn", "十亿"), 10**9
    ),
    **dict.fromkeys(("trillion", "trillions", "billionen", "万亿"), 10**12),
}
_SCALE = re.compile(
    r"[\s\u00a0\-]*(" + "|".join(sorted(map(re.escape, _SCALES), key=len, reverse=True)) + r")(?![a-zà-ÿ])"
)
_ONES = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty",
    "de": "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn "
    "siebzehn achtzehn neunzehn zwanzig",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept "
    "dix-huit dix-neuf vingt",
    "order": "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth",
}
_TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "fr": "vingt trente quarante cinquante soixante soixante-dix quatre-vingt quatre-vingt-dix",
}
_MONTHS = (
    "january januar janvier jan|february februar février feb|march märz mars mar|april avril apr|may mai|"
    "june juni juin jun|"
    "july juli juillet jul|august août aug|september septembre sept sep|october oktober octobre oct okt|"
    "november novembre nov|december dezember décembre dec dez"
)
_OTHERS = {
    "dozen": 12, "dozens": 12, "dutzend": 12, "douzaine": 12, "half": 0.5, "halb": 0.5, "halbe": 0.5, "demi": 0.5,
    "hälfte": 50, "halves": 0.5, "quarter": 15, "viertel": 15, "quart": 15, "noon": 12, "midday": 12, "mittag": 12,
    "midi": 12, "midnight": 12, "mitternacht": 12, "minuit": 12, "once": 1, "twice": 2, "zweimal": 2, "dreimal": 3,
    "hundred": 100, "hundert": 100, "cent": 100, "cents": 100, "thousand": 1000, "tausend": 1000, "mille": 1000,
    "million": 10**6, "eins": 1, "eine": 1, "einen": 1, "une": 1, "both": 2, "beide": 2, "fortnight": 14, "century":
    100, "jahrhundert": 100, "siècle": 100, "decade": 10, "jahrzehnt": 10, "décennie": 10, "score": 20, "septante":
    70, "nonante": 90, "quinzaine": 15, "centaine": 100, "vingtaine": 20, "dizaine": 10, "eightteen": 18, "fourty":
    40, "zwo": 2, "zweite": 2, "dritte": 3, "premier": 1, "première": 1,
}  # fmt: skip
_ENDINGS = ("te", "ter", "ten", "tes", "tem", "ste", "sten", "ième", "mal", "s", "jährige", "jähriger", "jährigen")
_GERMAN = ("zig", "ßig", "hundert", "tausend")
_HAN_NUMBER = re.compile(r"[〇零一二两兩三四五六七八九十百千万萬亿億廿卅]+(?:点[〇零一二三四五六七八九]+)?")
_ROMAN = re.compile(r"\b(?=[IVXLCM])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?=\b|e\b|er\b)")
_LETTERS = re.compile(r"[a-zà-ÿ]+(?:-[a-zà-ÿ]+)*")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in digits as it stands in a text, and what it may mean."""

    text: str
    values: frozenset[float]

    @property
    def digits(self) -> str:
        """Its digits alone."""
        return _SEPARATOR.sub("", self.text)


def figures(text: str) -> list[Figure]:
    """The numbers in digits that stand for themselves: with units (``5km``, ``3rd``), but not in names (``x86``)."""
    text = _plain(text)
    found = []
    for match in _DIGITS.finditer(text):
        before, after = text[: match.start()][-1:], text[match.end() :]
        unit = re.match(r"[A-Za-z_]+", after)
        if (before and before.isascii() and (before.isalpha() or before in "_#\\")) or (
            unit and unit[0].lower() not in _UNITS
        ):
            continue
        readings = _readings(match[0], after)
        if unit and unit[0] == "s":
            readings |= {value % 100 for value in readings}  # the 1350s: fourteenth century, fifties
        found.append(Figure(match[0], readings))
    return found


_UNITS = frozenset(
    """st nd rd th er e ème eme s km m cm mm kg g mg l ml h min sec ms am pm a p x k gb mb kb tb ghz mhz hz v w kw mph
    kmh ft in lb lbs oz uhr eur usd px pt bit bits byte bytes d c f""".split()  # noqa: SIM905 - a table
)


def values(text: str) -> set[float]:
    """Every number that may be meant somewhere in a text, in digits or in words. Rather too many than too few."""
    text = _plain(text)
    found: set[float] = set()
    for match in _DIGITS.finditer(text):
        found |= _readings(match[0], text[match.end() :])
        found |= {float(part) for part in _SEPARATOR.split(match[0])}
    for match in _HAN_NUMBER.finditer(text):
        found |= _han_readings(match[0])
    for match in _ROMAN.finditer(text):
        if match[0]:
            found.add(float(_roman(match[0])))
    for word in _LETTERS.findall(text.lower()):
        found |= _word_readings(word)
    return found


def _plain(text: str) -> str:
    """Full-width digits and marks as the usual ones; a comma or full stop of Chinese does not join numbers."""
    return "".join(
        unicodedata.normalize("NFKC", char) if char.isdecimal() or char in "：／％．" else char for char in text
    ).replace("−", "-")


def _readings(number: str, after: str) -> frozenset[float]:
    parts = _SEPARATOR.split(number)
    digits = "".join(parts)
    readings = {float(digits)}
    if len(parts) > 1:
        decimal = re.split(r"[.,]", number)
        if len(decimal) > 1:
            whole, part = "".join(filter(str.isdigit, number[: -len(decimal[-1]) - 1])), decimal[-1]
            if part.isdigit():
                readings.add(float(f"{whole or 0}.{part}"))
        if len(parts) > 2 or re.search(r"[:/\-]", number):
            readings |= {float(part) for part in parts}
    scale = _SCALE.match(after.lower())
    if scale:
        readings |= {round(value * _SCALES[scale[1]], 6) for value in readings}
    return frozenset(readings)


def _han_readings(number: str) -> set[float]:
    """The value of a Chinese numeral; digit by digit (二〇二〇), and its parts, as two may stand side by side."""
    whole, _, part = number.partition("点")
    found: set[float] = set()
    if all(char in DIGITS for char in whole):
        found.add(float("".join(str(DIGITS[char]) for char in whole)))
        found |= {float(DIGITS[char]) for char in whole}
    number_said = chinese_number(whole)
    if number_said is not None:
        found.add(float(number_said))
    if part:
        decimals = "".join(str(DIGITS[char]) for char in part)
        found |= {float(f"{value:.0f}.{decimals}") for value in set(found)}
    return found


def _roman(number: str) -> int:
    worth = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
    numbers = [worth[char] for char in number]
    return sum(-one if one < following else one for one, following in zip(numbers, [*numbers[1:], 0], strict=True))


def _word_readings(word: str) -> set[float]:
    known = _WORDS.get(word)
    found = {known} if known is not None else set()
    if known is None:
        parts = [_WORDS[part] for part in word.split("-") if part in _WORDS]
        if parts:
            found |= {float(sum(parts)), *parts}
        if any(part in word for part in _GERMAN):
            found |= _german(word)
        for ending in _ENDINGS:
            stem = word.removesuffix(ending)
            if stem != word and stem in _WORDS:
                found.add(_WORDS[stem])
    return found


def _german(word: str) -> set[float]:
    """Compounds: einundzwanzig, zweihundertfünfzig, neunzehnhundert."""
    total, rest = 0.0, word
    for unit, worth in (("tausend", 1000), ("hundert", 100)):
        head, found, tail = rest.partition(unit)
        if found:
            factor = _WORDS.get(head, 1.0 if not head else None)
            if factor is None:
                return {float(worth)}
            total, rest = total + factor * worth, tail
    if rest:
        ones, joint, tens = rest.partition("und")
        if joint and ones in _WORDS and tens in _WORDS:
            total += _WORDS[ones] + _WORDS[tens]
        elif rest in _WORDS:
            total += _WORDS[rest]
    return {total} if total else set()


def _number_words() -> dict[str, float]:
    table: dict[str, float] = {}
    for names in _ONES.values():
        table |= {name: float(number) for number, name in enumerate(names.split())}
    for names in _TENS.values():
        table |= {name: float(10 * number) for number, name in enumerate(names.split(), 2)}
    for number, names in enumerate(_MONTHS.split("|"), 1):
        table |= dict.fromkeys(names.split(), float(number))
    return table | {name: float(number) for name, number in _OTHERS.items()}


_WORDS = _number_words()
