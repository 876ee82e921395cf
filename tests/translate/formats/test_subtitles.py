import re

import pysubs2
import pytest

from bayling_lite.errors import InputError
from bayling_lite.languages import find_language
from bayling_lite.translate.formats.subtitles.line_breaks import broken, columns
from bayling_lite.translate.markup import Code, Marked, plain_text
from tests.translate.formats.rewriting import opened, same, shown, swapped, written

SRT = """\
1
00:00:01,000 --> 00:00:02,500
<i>Hello there, my old
friend, how are you doing today?</i>

2
00:00:03,000 --> 00:00:04,000
- Are you coming?
- JOHN: No. Not yet.

3
00:00:05,000 --> 00:00:06,500 X1:100 X2:200
{\\an8}MARY: It works!

4
00:00:07,000 --> 00:00:08,000
♪ La la la ♪
"""
VTT = """\
WEBVTT - The film
Kind: captions

NOTE
Not for translation --> at all

STYLE
::cue(.yellow) { color: yellow }

REGION
id:fred width:40%

intro
00:01.000 --> 00:04.000 align:start position:10%
<v Roger Bingham>We are in <b>New&nbsp;York</b>
and <00:00:02.000>it &amp; you are <c.yellow>here</c>.

01:00:05.000 --> 01:00:06.000
- It is night.
- Is it?
"""
ASS = """\
[Script Info]
Title: Dialogue: 0,0,0
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,20

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,Not for viewers
Dialogue: 0,0:00:01.00,0:00:02.00,Default,Bob,0,0,0,,{\\an8\\pos(10,20)}Hello, my {\\i1}dear{\\i0} friend,\\Nyou came!
Dialogue: 0,0:00:03.00,0:00:04.00,Song,,0,0,0,,{\\k20}ka{\\k30}ra{\\kf10}oke
Dialogue: 0,0:00:05.00,0:00:06.00,Default,,0,0,0,,{\\p1}m 0 0 l 100 0 100 100{\\p0}
Dialogue: 0,0:00:07.00,0:00:08.00,Default,,0,0,0,,- Hi\\hthere!\\N- Bye, then.
"""
DOCUMENTS = {"srt": SRT, "vtt": VTT, "ass": ASS}


def test_cues_are_found_as_people_speak() -> None:
    assert shown(opened(SRT.encode(), "srt")) == [
        "Hello there, my old friend, how are you doing today?",
        "Are you coming?",
        "No. Not yet.",
        "It works!",
        "La la la",
    ]
    assert shown(opened(VTT.encode(), "vtt")) == [
        "We are in New\u00a0York and it & you are here.", "It is night.", "Is it?",
    ]  # fmt: skip
    assert shown(opened(ASS.encode(), "ass")) == ["Hello, my dear friend, you came!", "Hi there!", "Bye, then."]


def test_a_unit_says_when_it_is_and_how_wide_it_may_be() -> None:
    units = list(opened(SRT.encode(), "srt").units())
    assert [(unit.place, unit.width) for unit in units[:3]] == [("00:00:01", 84), ("00:00:03", 42), ("00:00:03", 42)]


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n\n"])
def test_unchanged_it_is_the_same(name: str, newline: str, mark: str, end: str) -> None:
    data = (mark + DOCUMENTS[name].rstrip("\n") + end).replace("\n", newline).encode()
    document = opened(data, name)
    assert len(list(document.units())) >= 3
    assert written(document, same) == data


def _text(event: pysubs2.SSAEvent) -> str:
    """What is said, on one line, without what a change of case should not touch."""
    text = re.sub(r"\{[^}]*\}|&\w+;", "", event.text).replace("\\N", " ").replace("\\h", " ")
    return " ".join(text.split())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_only_words_change(name: str) -> None:
    old = pysubs2.SSAFile.from_string(DOCUMENTS[name], format_=name)
    once = written(opened(DOCUMENTS[name].encode(), name), swapped)
    twice = written(opened(once, name), swapped)
    times = [(event.start, event.end, event.type) for event in old]
    for data, change in ((once, str.swapcase), (twice, str)):
        new = pysubs2.SSAFile.from_string(data.decode(), format_=name)
        assert [(event.start, event.end, event.type) for event in new] == times
        for event, before in zip(new, old, strict=True):
            if not re.search(r"\\k|\\p1|JOHN|MARY|Not for", before.text):
                assert _text(event) == change(_text(before))


def test_layout_of_a_translated_cue() -> None:
    new = written(opened(SRT.encode(), "srt"), swapped).decode()
    assert new.split("\n\n")[:3] == [
        "1\n00:00:01,000 --> 00:00:02,500\n<i>hELLO THERE, MY OLD FRIEND,\nHOW ARE YOU DOING TODAY?</i>",
        "2\n00:00:03,000 --> 00:00:04,000\n- aRE YOU COMING?\n- JOHN: nO. nOT YET.",
        "3\n00:00:05,000 --> 00:00:06,500 X1:100 X2:200\n{\\an8}MARY: iT WORKS!",
    ]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_bilingual_cues_have_two_lines(name: str) -> None:
    new = written(opened(DOCUMENTS[name].encode(), name), swapped, bilingual=True).decode()
    old = pysubs2.SSAFile.from_string(DOCUMENTS[name], format_=name)
    events = list(pysubs2.SSAFile.from_string(new, format_=name))
    assert [(event.start, event.end) for event in events] == [(event.start, event.end) for event in old]
    line_of = {"srt": 0, "vtt": 0, "ass": 1}
    lines = re.sub(r"\{[^}]*\}", "", events[line_of[name]].text).split("\\N")
    assert len(lines) == 2
    assert lines[0].swapcase() == lines[1].replace("&amp;", "&AMP;").replace("&nbsp;", "&NBSP;")


def test_the_place_of_a_cue_is_said_once_in_a_bilingual_one() -> None:
    new = written(opened(SRT.encode(), "srt"), swapped, bilingual=True).decode()
    assert "{\\an8}MARY: It works!\nMARY: iT WORKS!" in new


def test_pairs_of_tags_and_single_ones() -> None:
    (unit,) = list(opened(SRT.encode(), "srt").units())[:1]
    assert [(code.kind, code.raw) for code in unit.source.codes] == [("open", "<i>"), ("close", "</i>")]
    (unit,) = list(opened(VTT.encode(), "vtt").units())[:1]
    assert [code.raw for code in unit.source.codes if code.kind == "alone"] == [
        "<v Roger Bingham>",
        "<00:00:02.000>",
    ]

    unit = next(iter(opened(ASS.encode(), "ass").units()))
    assert [(code.kind, code.raw) for code in unit.source.codes] == [
        ("alone", "{\\an8\\pos(10,20)}"), ("open", "{\\i1}"), ("close", "{\\i0}"),
    ]  # fmt: skip


def test_chinese_lines_are_joined_without_a_space() -> None:
    data = "1\n00:00:01,000 --> 00:00:02,000\n你好，\n世界 and\nmore\n".encode()
    assert shown(opened(data, "srt")) == ["你好，世界 and more"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("♪ La la la ♪", "La la la"),
        ("[door closes]", "door closes"),
        ("<i>(She sighs.)</i>", "She sighs."),
        ("ANNA: [softly] Come in.", "[softly] Come in."),
        ("(one) and (two)", "(one) and (two)"),
    ],
)
def test_notes_and_brackets_around_a_speech_are_not_said(text: str, said: str) -> None:
    subtitles = opened(f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n".encode(), "srt")
    assert [unit.source.bare for unit in subtitles.units()] == [said]
    assert written(subtitles, lambda _: "X").decode().split("\n")[2] == text.replace(said, "X")


def test_a_line_of_notes_alone_is_not_translated() -> None:
    assert shown(opened("1\n00:00:01,000 --> 00:00:02,000\n♪♪\n".encode(), "srt")) == []


def test_a_translation_cannot_break_its_format() -> None:
    hostile = "a --> b\n\n12\n{c} <d> & e"
    for name, document in DOCUMENTS.items():
        new = written(opened(document.encode(), name), lambda unit: hostile + "".join(unit.used)).decode()
        old = pysubs2.SSAFile.from_string(document, format_=name)
        events = pysubs2.SSAFile.from_string(new, format_=name)
        assert [(event.start, event.end) for event in events] == [(event.start, event.end) for event in old]
        assert "a --> b\n\n12" not in new


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("de", "Short enough."),
        ("en", "It is a long way to the town,|and nobody knows it better."),
        ("en", "She never told me the reason|for the things that she did."),
        ("zh", "今天要去城里买很多东西，|因为明天是一个很重要的节日。"),
        ("zh", "昨天他对我说“这不是我的|错误而是你自己的问题”。"),
        ("ko", "오늘 우리는 시내에 가서|아주 많은 물건을 사야 합니다"),
    ],
)
def test_lines_break_where_a_speaker_would_breathe(language: str, expected: str) -> None:
    text = expected.replace("|", " " if find_language(language).spaced else "")
    assert broken(plain_text(text), find_language(language), 2, "|") == expected


def test_lines_of_chinese_hold_twenty_characters_and_never_begin_with_a_comma() -> None:
    text = "他说，我们，必须，马上，离开，这里，因为，天，要，黑，了，而且，还，下着，大雨。"
    for cut in range(21, len(text)):
        lines = broken(plain_text(text[:cut]), find_language("zh"), 2, "|").split("|")
        assert "".join(lines) == text[:cut]
        assert len(lines) == 2
        assert lines[1][0] not in "，。"
        assert all(columns(line) <= 40 for line in lines)


def test_a_code_is_never_torn_from_its_word() -> None:
    codes = (Code("open", "<i>", 1), Code("close", "</i>", 1))
    marked = Marked("A very long sentence with \U00100000emphasis\U00100001 right in the middle of it all.", codes)
    lines = broken(marked, find_language("en"), 2, "\n").split("\n")
    assert len(lines) == 2
    assert "<i>emphasis</i>" in " ".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        "00:00:01,000 --> 00:00:02,000\nNo number.\n\n00:00:03,000 --> 00:00:04,000\nNone here.\n",
        "1\n00:00:01.000 --> 00:00:02.000\nFull stops.\n\n1\n0:0:3,5 --> 0:0:2,1\nTimes that go back.\n",
        "1\n00:00:01,000 --> 00:00:02,000\nFirst.\n\nAnd then.\n\n2\n00:00:01,500 --> 00:00:04,000\nOverlap.\n",
        "\n\n1\n00:00:01,000 --> 00:00:02,000\n\nAfter nothing.\n2\n00:00:03,000 --> 00:00:04,000\nNone between.",
        "1\n00:00:01,000 --> 00:00:02,000\n\n2\n-00:00:03,000 --> 00:00:04,000\nAn empty cue before, negative time.\n",
        "A heading.\n\n1\n00:00:01,000 --> 00:00:02,000\nCue with 12\n13\n\n",
    ],
)
def test_subrip_is_read_as_players_read_it(text: str) -> None:
    document = opened(text.encode(), "srt")
    assert shown(document)
    assert written(document, same) == text.encode()
    times = re.findall(r"^.*-->.*$", text, re.MULTILINE)
    assert re.findall(r"^.*-->.*$", written(document, swapped).decode(), re.MULTILINE) == times


def test_a_cue_of_a_number_and_one_with_an_empty_line() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\n42\n\n2\n00:00:03,000 --> 00:00:04,000\nHere\n\nand there.\n"
    assert shown(opened(text.encode(), "srt")) == ["Here and there."]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("srt", "{100}{200}Hello", "is MicroDVD"),
        ("srt", "WEBVTT\n\n00:01.000 -> x", "It is WebVTT"),
        ("srt", "Nothing but text.\n", "has no cue"),
        ("srt", "1\n00:00:01,000 --> 00:00:xx\nHello\n", "the times on line 2 cannot be read"),
        ("vtt", SRT, "does not begin with WEBVTT"),
        ("vtt", "WEBVTT\n\n1\n00:01 --> now\nHello\n", "the times on line 4 cannot be read"),
        ("ass", SRT, r"no section \[Events\]"),
        ("ass", "[Events]\nDialogue: 0,0:00:01.00,Hello\n", "line 2 is a line of dialogue with 3 fields"),
        ("ass", "[Events]\nFormat: Text, Start\n", "does not end with Text"),
        ("srt", "\x00\x01\x02\xff", "not text"),
    ],
)
def test_damage_is_named(name: str, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        opened(text.encode("latin-1" if "\xff" in text else "utf-8"), name)


def test_an_empty_file_has_no_cues() -> None:
    assert shown(opened(b"", "srt")) == []
    assert shown(opened(b"WEBVTT\n", "vtt")) == []
