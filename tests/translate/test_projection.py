"""Codes put back into translations that were made without them."""

from __future__ import annotations

import random
import time

import pytest

from bayling_lite.translate.asking.projection import inner_texts, plainly, projected
from bayling_lite.translate.markup import Code, Marked, MarkedBuilder, is_code, tagged


def marked(text: str, **reads: str) -> Marked:
    """A text with codes, from one with tags: ``<a>`` and ``</a>`` are a pair, ``<a/>`` stands alone."""
    builder = MarkedBuilder()
    pairs: dict[str, int] = {}
    rest = text
    while rest:
        before, bracket, after = rest.partition("<")
        builder.text(before)
        if not bracket:
            break
        tag, _, rest = after.partition(">")
        name = tag.strip("/")
        if tag.endswith("/"):
            builder.code(Code("alone", f"<{tag}>", reads=reads.get(name, "")))
        else:
            pair = pairs.setdefault(name, len(pairs) + 1)
            builder.code(Code("close" if tag.startswith("/") else "open", f"<{tag}>", pair))
    return builder.build()


CASES = [
    # The inner text has a translation of its own, as it is or nearly.
    ("Click <b>here</b> now.", "请现在点击这里。", {"here": "这里"}, "请现在点击<b>这里</b>。"),
    ("Open the <b>old doors</b>.", "Öffne die alten Türen.", {"old doors": "alte Türen"},
     "Öffne die <b>alten Türen</b>."),
    # A name stays as it is.
    ("I like <b>Python</b> a lot.", "我很喜欢Python。", {}, "我很喜欢<b>Python</b>。"),
    # Nothing is known: about where it was, whole words.
    ("One <b>two</b> three.", "Un deux trois.", {}, "Un <b>deux</b> trois."),
    # Words of codes are found again, wherever the language puts them.
    ("Delete <n/> files.", "{n} Dateien löschen.", {}, "<n/> Dateien löschen."),
    # A note's mark clings to the word or mark before it, a line break stands for the space.
    ("A word,<f/> and more.", "Ein Wort, und mehr.", {}, "Ein Wort,<f/> und mehr."),
    ("One line<br/>two lines", "Eine Zeile zwei Zeilen", {}, "Eine Zeile<br/>zwei Zeilen"),
    # What stood apart stands apart.
    ("Press <i/> to go on.", "Drücken Sie zum Weitergehen.", {}, None),
    # Nested pairs stay nested, pairs side by side may change their order.
    ("The <b>red <i>hot</i> stone</b> fell.", "Der rote heiße Stein fiel.",
     {"hot": "heiße", "red hot stone": "rote heiße Stein"}, "Der <b>rote <i>heiße</i> Stein</b> fiel."),
    ("<a>Anna</a> sees <b>Ben</b>.", "Ben wird von Anna gesehen.", {}, "<b>Ben</b> wird von <a>Anna</a> gesehen."),
    # Half a pair: a beginning before a word, an end after one.
    ("some <b>bold text", "etwas fetter Text", {}, "etwas <b>fetter Text"),
    ("bold text</b> and more", "fetter Text und mehr", {}, "fetter Text</b> und mehr"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "answer", "inner", "expected"), CASES, ids=[case[0] for case in CASES])
def test_codes_find_their_places(source: str, answer: str, inner: dict[str, str], expected: str | None) -> None:
    text = marked(source, n="{n}", br="\n")
    result = projected(text, answer, inner)
    assert sorted(result.used) == sorted(text.used)
    assert tagged(text).restore(_as_tagged(text, result)) == result.text
    if expected is not None:
        assert result.raw() == expected


def test_a_code_between_words_stands_between_words() -> None:
    result = projected(marked("Press <i/> to go on."), "Drücken Sie zum Weitergehen.", {}).raw()
    assert result.replace("<i/> ", "").replace(" <i/>", "") == "Drücken Sie zum Weitergehen."


def test_words_of_a_code_that_are_not_in_the_answer_stand_apart() -> None:
    result = projected(marked("He likes <a/>.", a="meat"), "Er mag Fleisch.", {})
    assert result.raw() == "Er mag <a/> Fleisch."


def test_the_model_sees_no_codes_but_their_words() -> None:
    source = marked("Delete <n/> of <b>these</b> files<br/>or <img/> none", n="{n}", br="\n")
    assert plainly(source) == "Delete {n} of these files or none"
    assert inner_texts(source) == ("these",)


def test_what_is_a_pair_of_the_whole_text_or_no_words_is_not_asked_for() -> None:
    assert inner_texts(marked("<b>All of it</b>")) == ()
    assert inner_texts(marked("In <b>2024</b> it <b>2</b> <i>rained</i> and <i>rained</i>")) == ("rained",)


@pytest.mark.parametrize("seed", range(60))
def test_any_text_with_any_answer_has_every_code_once_and_nested(seed: int) -> None:
    random_ = random.Random(seed)
    words = ["one", "two", "drei", "四五", "，", ".", "{x}", "six seven", " "]
    pieces: list[str] = []
    open_: list[int] = []
    for number in range(random_.randint(1, 25)):
        kind = random_.random()
        if kind < 0.25:
            pieces.append(f"<p{number}>")
            open_.append(number)
        elif kind < 0.5 and open_:
            # Now and then pairs cross, as sloppy documents have them.
            pieces.append(f"</p{open_.pop(-1 if random_.random() < 0.9 else 0)}>")
        elif kind < 0.65:
            pieces.append(f"<s{number}/>")
        else:
            pieces.append(random_.choice(words) + random_.choice(["", " "]))
    source = marked("".join(pieces), **{f"s{number}": random_.choice(["", "\n", "{x}"]) for number in range(25)})
    answer = " ".join(random_.choices(words, k=random_.randint(0, 12))).strip()
    result = projected(source, answer, {"six seven": "drei"})
    assert sorted(result.used) == sorted(source.used)
    assert tagged(source).restore(_as_tagged(source, result)) == result.text
    kept = "".join(result.bare.split())
    assert kept.replace("{x}", "") == "".join(answer.split()).replace("{x}", "")


def test_deep_nesting_is_no_recursion_and_takes_no_time() -> None:
    depth = 800
    text = (
        "".join(f"<p{number}>" for number in range(depth))
        + "word"
        + "".join(f"</p{number}>" for number in reversed(range(depth)))
    )
    source = marked("before " + text + " after")
    started = time.monotonic()
    result = projected(source, "vorher Wort danach", {"word": "Wort"})
    assert time.monotonic() - started < 2
    assert sorted(result.used) == sorted(source.used)
    assert result.bare == "vorher Wort danach"


def _as_tagged(source: Marked, result: Marked) -> str:
    """The result as a model would have written it, with the tags of the source."""
    tags = {character: tag for tag, character in tagged(source).tags}
    return "".join(tags[char] if is_code(char) else char for char in result.text)
