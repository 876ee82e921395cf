"""Plain text files: the same bytes again, line below line in two languages, and little memory for a long text."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from bayling_lite.errors import InputError
from bayling_lite.languages import find_language
from bayling_lite.translate.formats import Layout, TranslatedUnit
from tests.translate.formats.rewriting import opened, same, shown, swapped, written
from tests.translate.texts import LAYOUTS, WRAPPED


@pytest.mark.parametrize("bilingual", [False, True])
@pytest.mark.parametrize("text", [*LAYOUTS.values(), WRAPPED, "", "\n", "no newline", "a\rb\r\rc\r"])
def test_unchanged_text_is_the_same_in_every_layout(text: str, bilingual: bool) -> None:
    assert written(opened(text.encode(), "txt"), same, bilingual=bilingual) == text.encode()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030", "big5"])
def test_encodings_come_back(encoding: str) -> None:
    data = (
        "标题\r\n\r\n這是一個測試。这是第二句话，没有什么特别。\r\n".replace("标", "標")
        .replace("这", "這")
        .encode(encoding, "ignore")
    )
    assert written(opened(data, "txt", encoding=encoding), same) == data


def test_swapping_twice_gives_the_text_back() -> None:
    text = "Dear Anna,\r\n\r\n  - One. Two.\r\n\t* Three\tFour\r\n\r\nÄ 123\r\n"
    once = written(opened(text.encode(), "txt"), swapped)
    assert once.decode() == "dEAR aNNA,\r\n\r\n  - oNE. tWO.\r\n\t* tHREE\tfOUR\r\n\r\nÄ 123\r\n"
    assert written(opened(once, "txt"), swapped).decode() == text


def test_places_are_lines_whatever_ends_them() -> None:
    units = opened(b"One.\r\rTwo. Three.\rFour.\r", "txt").units()
    assert [unit.place for unit in units] == ["line 1", "line 3", "line 3", "line 4"]


def test_bilingual_paragraphs_and_items() -> None:
    text = "Title\r\n\r\n  Good morning. How are you?\r\n\r\n- Milk\r\n- Bread\tButter\r\n\r\n123\r\n> Quoted"
    assert written(opened(text.encode(), "txt"), swapped, target="de", bilingual=True).decode() == (
        "Title\r\ntITLE\r\n\r\n  Good morning. How are you?\r\n  gOOD MORNING. hOW ARE YOU?\r\n\r\n"
        "- Milk\r\n  mILK\r\n- Bread\tButter\r\n  bREAD\tbUTTER\r\n\r\n123\r\n> Quoted\r\n> qUOTED"
    )


def test_a_wrapped_paragraph_is_followed_by_its_translation() -> None:
    text = written(opened(WRAPPED.encode(), "txt"), swapped, target="de", bilingual=True).decode()
    assert text.startswith(WRAPPED.rstrip("\n") + "\n")
    assert text[len(WRAPPED) :].splitlines() == [WRAPPED.swapcase().replace("\n", " ").strip()]


def test_what_looks_like_a_code_is_text() -> None:
    document = opened("A \U00100000 b.\n".encode(), "txt")
    assert shown(document) == ["A \U00100000 b."]
    assert written(document, swapped).decode() == "a \U00100000 B.\n"


def test_binary_files_are_refused() -> None:
    with pytest.raises(InputError, match="not text"):
        opened(bytes(range(256)), "txt")


def test_translations_are_taken_as_they_are_needed() -> None:
    document = opened(b"One. Two.\nThree.\n", "txt")
    taken = []

    def translations() -> Iterator[TranslatedUnit]:
        for unit in document.units():
            taken.append(unit.source.text)
            yield TranslatedUnit(unit.source, unit.source.replaced("x"))

    pieces = document.write(translations(), Layout(find_language("de")))
    assert next(pieces) == "x"
    assert taken == ["One."]
    assert "".join(map(str, pieces)) == " x\nx\n"


@pytest.mark.parametrize("bilingual", [False, True])
def test_a_long_text_needs_little_memory(bilingual: bool) -> None:
    text = "".join(f"This is sentence {number} of a long text.\n" for number in range(2_000))
    document = opened(text.encode(), "txt")
    translations = (TranslatedUnit(unit.source, unit.source.replaced("x")) for unit in document.units())
    tracemalloc.start()
    for _ in document.write(translations, Layout(find_language("de"), bilingual=bilingual)):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000, peak


@pytest.mark.parametrize(
    ("encoding", "codec", "mark"),
    [
        *((encoding, f"{encoding}-{order}", "\ufeff") for encoding in ("utf-16", "UTF-32") for order in ("le", "be")),
        ("utf-16", "utf-16-le", ""),
        ("utf-8-sig", "utf-8", "\ufeff"),
        ("utf-8-sig", "utf-8", ""),
    ],
)
def test_an_encoding_with_marks_that_is_named_is_written_as_read(encoding: str, codec: str, mark: str) -> None:
    data = f"{mark}Hello there.".encode(codec)
    document = opened(data, "txt", encoding=encoding)
    assert shown(document) == ["Hello there."]
    assert written(document, same) == data


@pytest.mark.parametrize(
    ("encoding", "message"), [("klingon", "klingon, which is unknown"), ("base64", "not base64 text")]
)
def test_an_encoding_that_is_none_is_refused(encoding: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        opened(b"Hello", "txt", encoding=encoding)
