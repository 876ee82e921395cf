"""Texts that tokenizers are known to disagree on, as many as wanted, the same each time.

Not among them are those that llama.cpp is known to get wrong (:data:`KNOWN_DIFFERENCES`); they have their own tests.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.convert.small_checkpoints import corpus

# fmt: off
SPECIMENS = (
    "", " ", "  ", "\n", "\n\n\n", "\t\t", "\r\n", "\r\r\n \n", "\x00", "a\x00b", "\x01\x02\x1b[31m\x7f",
    "\x1c\x1d\x1e\x1f", "\u0085\u00a0\u2028\ufeff", "\u200b\u200c\u200d\u2060", "\u180e\u2007\u202f\u205f", "　　",
    " \u3000 ", "</s>", "<s>", "<unk>", "<0x0A>", "Hello</s>World<s>", "<|eot_id|>", "<|begin_of_text|>",
    "<|start_header_id|>user", "<|reserved_special_token_7|>", "[PAD]", "[PAD600]", "[INST] <<SYS>>", "<|endoftext|>",
    "▁", "▁▁ ▁", "Ġ", "ĠHello Ċ", "don't I'll we've they're it's I'd I'm", "DON'T I'LL WE'VE 'S 'Re",
    "o'clock 'tis ''s '", "l’été ’s ‘quoted’", "ſo Waſſer", "K's Å Ω", "ǅungla ŉ ẞ İ ı", "ﬁ ﬂ ﬆ", "é vs é, Å Å",
    "ạ̈́̂", "\u0301", "\u0301a", " \u0301", "a\u0301\u0301 \u20dd", "0", "7 8", "12", "345", "6789",
    "12345678901234567890", "3.14159", "1,000,000.00", "2026-01-31T23:59:60Z", "½ ⅓ Ⅷ ² ₃ ①",
    "١٢٣٤ ๑๒๓๔ १२३४ 一二三四 １２３４", "𝟘𝟙𝟚𝟛 𒐀𒐁 𐄇", "+1 (555) 010-9999", "0x1F 1e-9 1_000", "👩‍👩‍👧‍👦 🏳️‍🌈 🇨🇳🇩🇪 👍🏽",
    "☺️ ☺ ❤️‍🔥 🫠🪿🫨", "e\ufe0f1\ufe0f\u20e3", "𝒜𝓫𝕮 🄰 Ⓐ", "♠♥ ← → ⇒ ∀x∈ℝ: √x² ≥ 0", "€ £ ¥ ₿ ₴ ֏",
    "老师在读一本书。", "龘𠮷𪚥𰻝 㐀",
    "中文English混合text在一起123和符号！？", "「こんにちは」と言った。カタカナ・ｶﾀｶﾅ", "안녕하세요, 세계! ㅋㅋㅋ",
    "ｆｕｌｌ　ｗｉｄｔｈ，１２３",
    "नमस्ते दुनिया। क्षत्रिय", "สวัสดีชาวโลก ๆ", "שלום עולם, אֱלֹהִים", "مرحبا بالعالم، السَّلامُ عليكم ـــ",
    "\u200fRTL\u200e \u202eevil\u202c", "Привет, мир! Ёлка", "Γειά σου Κόσμε", "Բարեւ աշխարհ", "გამარჯობა",
    "ሰላም ለዓለም", "བོད་སྐད།", "မင်္ဂလာပါ", "ជំរាបសួរ", "ສະບາຍດີ", "ᠮᠣᠩᠭᠣᠯ", "ᏣᎳᎩ ꮳꮃꭹ", "ꓡꓲꓢꓴ", "Xin chào thế giới ế",
    "Zażółć gęślą jaźń", "Straße groß GROẞ", "naïve façade coöperate", "tʃɪə(ɹ)z ʔ ʰ ˈ", "𐎠𐎼 𓀀𓂀 𐀀 𞤀𞤣",
    "def f(x: int) -> str:\n    return f'{x!r}'\n\n\nclass A:\n\tpass\n", "for(;;){ i++; }  // 注释\r\n",
    "<div class=\"a\">&amp;</div>", "SELECT * FROM t WHERE a='b''c' -- x", "https://example.org/a?b=c&d=%20#e",
    "C:\\Users\\名字\\file.txt", "a@b.example", "$$\\frac{a}{b}$$", "#!/bin/sh\n", "........", "-----", "!!!???",
    "=======\n", "***bold*** _it_ ~~x~~", "…—–", "\"\"\"'''```", "(((([[[[{{{{", "::::", "。。。！！",
    "\U0010ffff\ue000\ufffd", "\ufdd0\ufffe", "\u0378\U000e0001", "\U000e0100x\U000e01ef", "\u00ad soft\u00adhyphen",
    "\u2063\u2064", "CamelCaseAndsnake_case-kebab", "ALLCAPS lower Mixed", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "hahahahahahaha", "   lead", "trail   ", "a  b   c    d",
)
# fmt: on

KNOWN_DIFFERENCES = {
    "an apostrophe and a long s": ("ſ", "a", "'ſa"),
    "a letter of Unicode 16": ("a", "\u1c8a", "a\u1c8a"),
}
"""What is different with LLaMA 3's pre-tokenizer: two characters that a vocabulary joins, and a text with them.

The tokenizers library looks for contractions without regard to case, and to it a long s is an s. llama.cpp's tables of
letters and numbers are older than the library's: what Unicode 16 added (4,302 letters, 80 numbers) is neither to it.
"""

_SPACES = ("", "", " ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n ", "\t \t", "\u00a0", "　", "\x0b\x0c", " " * 17)
# fmt: off
_SCRIPTS = (
    0x20, 0x41, 0x61, 0xA0, 0xC0, 0x100, 0x180, 0x250, 0x300, 0x370, 0x400, 0x530, 0x5D0, 0x600, 0x700, 0x780, 0x900,
    0x980, 0xB80, 0xC00, 0xE00, 0xE80, 0xF00, 0x1000, 0x10A0, 0x1100, 0x1200, 0x13A0, 0x1680, 0x1780, 0x1800, 0x1E00,
    0x1F00, 0x2000, 0x2030, 0x2070, 0x20D0, 0x2150, 0x2190, 0x2200, 0x2460, 0x2600, 0x2E80, 0x3000, 0x3040, 0x30A0,
    0x3130, 0x3400, 0x4E00, 0x9F00, 0xA000, 0xA640, 0xAC00, 0xE000, 0xF900, 0xFB00, 0xFE00, 0xFF00, 0xFF60, 0x10000,
    0x10330, 0x10900, 0x12000, 0x13000, 0x1D400, 0x1D7C0, 0x1F1E0, 0x1F300, 0x1F600, 0x1F900, 0x20000, 0x2A6C0,
    0x30000,
)
# fmt: on


def varied_strings(count: int) -> list[str]:
    """The specimens, then mixtures of them, of sentences, of spaces and of characters of all scripts."""
    dice = random.Random(7)
    kinds: tuple[Callable[[random.Random], str], ...] = (
        _mixture,
        _sentences,
        _letters,
        _any_characters,
        _spaced,
        _digits,
    )
    made = list(SPECIMENS[:count])
    while len(made) < count:
        made.append(kinds[len(made) % len(kinds)](dice))
    return made


def _mixture(dice: random.Random) -> str:
    return dice.choice(_SPACES).join(dice.choices(SPECIMENS, k=dice.randint(2, 6)))


def _sentences(dice: random.Random) -> str:
    line = dice.choice(corpus())
    begun = dice.choice(_SPACES) + line[dice.randrange(len(line)) :] + dice.choice(_SPACES)
    return begun + dice.choice(_SPACES).join(dice.choices(corpus(), k=2)).replace(
        " ", dice.choice((" ", "  ", "\u00a0"))
    )


def _letters(dice: random.Random) -> str:
    """A few words of one script, between spaces and punctuation."""
    first = dice.choice(_SCRIPTS)
    words = ["".join(chr(first + dice.randrange(32)) for _ in range(dice.randint(1, 8))) for _ in range(4)]
    return dice.choice((" ", ", ", "\n", "'", "-", "")).join(words) + dice.choice(("", ".", "!?", "\n", "'s", "…"))


def _any_characters(dice: random.Random) -> str:
    return "".join(chr(dice.choice(_SCRIPTS) + dice.randrange(64)) for _ in range(dice.randint(1, 24)))


def _spaced(dice: random.Random) -> str:
    words = ("a", "B", "1", "'s", "!", "中", "é", "👍", "\u0301", "_", "don't", "12", "</s>", "#")
    return "".join(dice.choice(_SPACES) + dice.choice(words) for _ in range(dice.randint(1, 10))) + dice.choice(_SPACES)


def _digits(dice: random.Random) -> str:
    zero = dice.choice((0x30, 0x30, 0x30, 0x660, 0x966, 0xFF10, 0x1D7D8))
    groups = ["".join(chr(zero + dice.randrange(10)) for _ in range(dice.randint(1, 9))) for _ in range(3)]
    return dice.choice((".", ",", " ", "", "-", "/", "年", "x")).join(groups) + dice.choice(
        ("", "%", "kg", "st", "'s", "\n")
    )
