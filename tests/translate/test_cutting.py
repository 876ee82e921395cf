"""Units cut into segments: what a model sees of them, and that every code comes back."""

from __future__ import annotations

import random
import re

import pytest

from bayling_lite.languages import find_language
from bayling_lite.translate.formats import Cut, Unit
from bayling_lite.translate.job.cutting import CutUnit, cut
from bayling_lite.translate.markup import Code, Marked, MarkedBuilder, tagged

CHINESE, GERMAN = find_language("zh"), find_language("de")
READS = {"br": "\n", "tab": "\t", "img": "", "foo": "foo()", "n": "Stop. Now"}


def marked(text: str) -> Marked:
    """A text in which ``<b1>`` and ``</b1>`` are a pair and ``<br/>``, ``<img/>``, ``<foo/>``, ``<n/>`` stand alone."""
    builder = MarkedBuilder()
    for piece in re.split(r"(</?\w+/?>)", text):
        if not re.fullmatch(r"</?\w+/?>", piece):
            builder.text(piece)
        elif piece.endswith("/>"):
            builder.code(Code("alone", piece, reads=READS[piece[1:-2]]))
        else:
            builder.code(Code("close" if piece[1] == "/" else "open", piece, pair=int(piece.strip("</>b"))))
    return builder.build()


def cut_text(text: str, *, limit: int = 400, whole: bool = False) -> CutUnit:
    return cut(Unit(marked(text), Cut.WHOLE if whole else Cut.SENTENCES), limit, whole_limit=limit)


def segments(text: str, *, limit: int = 400, whole: bool = False) -> list[str]:
    return [piece.source.raw() for piece in cut_text(text, limit=limit, whole=whole).pieces]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("  One.  Two.\u200b ", ["One.", "Two."]),
        ("", []),
        (" <img/> ", []),
        # A pair around a whole sentence stays outside, one around a part of it inside, also at an edge.
        ("<b1>One. Two.</b1>", ["One.", "Two."]),
        ("<b1>One.</b1> <b2>Two.</b2>", ["One.", "Two."]),
        ("<b1>Note:</b1> it is <b2>late.</b2>", ["<b1>Note:</b1> it is <b2>late.</b2>"]),
        ("<b1><b2>Note:</b2> late.</b1>", ["<b2>Note:</b2> late."]),
        ("It is <b1>late. </b1>Go!", ["It is <b1>late. </b1>", "Go!"]),
        ("It is late.<b1> Go</b1> now!", ["It is late.", "<b1> Go</b1> now!"]),
        # Half a pair stays half a pair.
        ("It <b1>is late. Go</b1> now!", ["It <b1>is late.", "Go</b1> now!"]),
        ("<b1>It is late. Go</b1> now!", ["It is late.", "Go</b1> now!"]),
        # Pairs that cross stay together.
        ("<b1><b2>Hello</b1> you</b2>", ["<b1><b2>Hello</b1> you</b2>"]),
        # A line break ends a segment; what nobody reads ends none and stays outside at the edges.
        ("It is<br/>late", ["It is", "late"]),
        ("Anna<tab/>Peter<tab/><tab/>12", ["Anna", "Peter", "12"]),
        ("It is<img/>late", ["It is<img/>late"]),
        ("<img/>It is late.<img/> Go!<img/>", ["It is late.", "Go!"]),
        # What is read belongs to the sentence, and is never cut.
        ("<foo/> is a call.", ["<foo/> is a call."]),
        ("Here is <n/>. Go!", ["Here is <n/>.", "Go!"]),
        ("<n/>", ["<n/>"]),
        ("Write to Mr.<img/> Smith.", ["Write to Mr.<img/> Smith."]),
        ("早上好。<b1>你好吗？</b1>", ["早上好。", "你好吗？"]),
    ],
)
def test_sentences(text: str, wanted: list[str]) -> None:
    assert segments(text) == wanted


def test_a_whole_unit_is_one_segment_if_it_fits() -> None:
    assert segments(" One.<br/>Two. ", whole=True) == ["One.<br/>Two."]
    assert segments("One two. Three<br/>four.", whole=True, limit=12) == ["One two.", "Three", "four."]
    assert segments("一二三。四五六。", whole=True, limit=10) == ["一二三。", "四五六。"]


def test_a_long_sentence_is_cut_at_clauses() -> None:
    parts = segments("It <b1>was a very long sentence,</b1> but it went on, and on, and on.", limit=36)
    assert parts == ["It <b1>was a very long sentence,</b1>", "but it went on, and on, and on."]


@pytest.mark.parametrize(
    ("text", "translatable"),
    [
        ("12.5 %", False),
        ("https://a.b/c?d=e", False),
        ("me@example.org", False),
        ("<foo/>", False),
        ("see <foo/>", True),
        ("你", True),
    ],
)
def test_what_has_no_word_is_not_translated(text: str, *, translatable: bool) -> None:
    assert [piece.translatable for piece in cut_text(text).pieces] == [translatable]


@pytest.mark.parametrize(
    ("text", "targets", "target", "wanted"),
    [
        ("One. Two.", ["一。", "二。"], CHINESE, "一。二。"),
        ("<b1>One.</b1> <b2>Two.</b2>", ["一。", "二。"], CHINESE, "<b1>一。</b1><b2>二。</b2>"),
        ("一。二。", ["Eins.", "Zwei."], GERMAN, "Eins. Zwei."),
        ("<b1>一。</b1><b2>二。</b2>", ["Eins.", "Zwei."], GERMAN, "<b1>Eins.</b1> <b2>Zwei.</b2>"),
        ("一。<img/>二。", ["Eins.", "Zwei."], GERMAN, "Eins.<img/> Zwei."),
        ("One.<br/> Two.", ["一。", "二。"], CHINESE, "一。<br/> 二。"),
        # A sentence that stays as it was keeps its space only beside another that does.
        ("One.  Two. Three.", ["One.", "Two.", "三。"], CHINESE, "One.  Two.三。"),
    ],
)
def test_the_space_between_sentences_is_the_target_language_s(
    text: str, targets: list[str], target: object, wanted: str
) -> None:
    assert isinstance(target, type(CHINESE))
    assert cut_text(text).joined(targets, target).raw() == wanted


def random_unit(random_: random.Random) -> str:
    words = [
        "Hello",
        "world.",
        "you?",
        "No!",
        "早上好。",
        "你好",
        "e.g.",
        "12",
        "Mr.",
        " ",
        "  ",
        "<br/>",
        "<tab/>",
        "<img/>",
        "<foo/>",
        "<n/>",
    ]
    parts = [random_.choice(words) + random_.choice(["", " "]) for _ in range(random_.randint(0, 14))]
    for pair in range(1, random_.randint(1, 5)):
        start, end = sorted((random_.randint(0, len(parts)), random_.randint(0, len(parts))))
        parts.insert(end, f"</b{pair}>")
        parts.insert(start, f"<b{pair}>")
    return "".join(parts)


def test_no_code_is_lost_whatever_the_unit() -> None:
    random_ = random.Random(1)
    for _ in range(1500):
        text = random_unit(random_)
        cut_ = cut_text(text, limit=random_.choice([20, 400]), whole=random_.random() < 0.2)
        sources = [piece.source for piece in cut_.pieces]
        unchanged = cut_.joined([source.text for source in sources], CHINESE)
        assert unchanged.text == cut_.source.text, text
        for target in (CHINESE, GERMAN):
            joined = cut_.joined([source.text.swapcase() + "!" for source in sources], target)
            assert joined.used == cut_.source.used, text
            bare = re.sub(r"[\s\u3000!]", "", joined.bare)
            assert bare == re.sub(r"[\s!]", "", cut_.source.bare).swapcase(), text
        for source in sources:
            assert source.text.strip(" \u200b") == source.text != "", text
            assert tagged(source).restore(tagged(source).text) == source.text
