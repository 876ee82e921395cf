import json

import pytest

from bayling_lite.errors import InputError, UsageError
from tests.translate.formats.rewriting import opened, same, shown, swapped, written

PAGE = """\
{
  "id": "welcome-page", "version": 3, "ratio": 1.0e-400, "big": 123456789012345678901234567890,
  "title": "Welcome to {site}",
  "path": "/usr/share/doc", "color": "#ff00aa", "state": "IN_PROGRESS", "kind": "heroBanner",
  "items": [
    {"text": "The first one.", "url": "https://example.com/a", "text": "The same key again."},
    {"text": "Two lines:\\nhere \\u0026 there", "tags": ["Big house", "x1"]}, {}, [], [[[]]], null, true, NaN
  ]
}
"""


def test_text_is_found_and_data_is_not() -> None:
    assert shown(opened(PAGE.encode(), "json")) == [
        "Welcome to {site}",
        "The first one.",
        "The same key again.",
        "Two lines:",
        "here & there",
        "Big house",
    ]


def test_everything_else_stays() -> None:
    document = opened(PAGE.encode(), "json")
    assert written(document, same) == PAGE.encode()
    new = written(document, swapped)
    assert new.decode() == (
        PAGE.replace("Welcome to", "wELCOME TO")
        .replace("The first one.", "tHE FIRST ONE.")
        .replace("The same key again.", "tHE SAME KEY AGAIN.")
        .replace("Two lines:\\nhere \\u0026 there", "tWO LINES:\\nHERE \\u0026 THERE")
        .replace("Big house", "bIG HOUSE")
    )
    assert json.loads(new)["items"][1]["text"] == "tWO LINES:\nHERE & THERE"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("mark", "encoding"), [("", "utf-8"), ("\ufeff", "utf-8"), ("\ufeff", "utf-16-le"), ("\ufeff", "utf-16-be")]
)
def test_changed_twice_it_is_the_same(newline: str, mark: str, encoding: str) -> None:
    data = (mark + PAGE).replace("\n", newline).encode(encoding)
    once = written(opened(data, "json", keys=("**.text", "title")), swapped)
    assert once != data
    assert written(opened(once, "json", keys=("**.text", "title")), swapped) == data


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("title",), ["Welcome to {site}"]),
        (("items[*].text",), ["The first one.", "The same key again.", "Two lines:", "here & there"]),
        (("items[1].tags[0]", "kind"), ["heroBanner", "Big house"]),
        (("**.tags[*]",), ["Big house", "x1"]),
        (("nothing.here",), []),
    ],
)
def test_paths_choose_values(keys: tuple[str, ...], expected: list[str]) -> None:
    assert shown(opened(PAGE.encode(), "json", keys=keys)) == expected


def test_a_path_that_cannot_be_read_is_named() -> None:
    with pytest.raises(UsageError, match=r"'items\[' is not a path"):
        opened(b"{}", "json", keys=("items[",))


def test_a_unit_says_where_it_stands() -> None:
    units = list(opened(PAGE.encode(), "json").units())
    assert [unit.place for unit in units[:2]] == ["title", "items[0].text"]


def test_of_a_catalogue_short_words_are_translated_and_metadata_is_not() -> None:
    catalogue = {
        "@@locale": "en",
        "ok": "OK",
        "close": "close",
        "greeting": "Hello {name}!",
        "@greeting": {"description": "Shown at the top", "placeholders": {"name": {"example": "Bob Smith"}}},
        "files": "{count, plural, one {# file} other {# files}}",
        "left": "You have {count, plural, one {# file} other {# files}} left",
        "nested": {"deep_other": "{{count}} items", "link": "@:ok"},
    }
    data = json.dumps(catalogue, indent=2).encode()
    document = opened(data, "json")
    assert shown(document) == ["OK", "close", "Hello {name}!", "# file", "# files", "{{count}} items"]
    assert written(document, same) == data
    new = json.loads(written(document, lambda text: text.text.replace("Hello", "你好")))
    assert new == catalogue | {"@@locale": "zh", "greeting": "你好 {name}!"}


def test_escapes_are_written_as_the_document_has_them() -> None:
    def chinese(text):  # type: ignore[no-untyped-def]
        return '引号 " / \\'

    assert written(opened(b'{"text": "Caf\\u00E9 is here"}', "json"), chinese) == (
        b'{"text": "\\u5F15\\u53F7 \\" / \\\\"}'
    )
    assert written(opened('{"text": "Café is \\/ here"}'.encode(), "json"), chinese).decode() == (
        '{"text": "引号 \\" \\/ \\\\"}'
    )
    assert written(opened('{"text": "Ça va très bien"}'.encode("cp1252"), "json", encoding="cp1252"), chinese) == (
        b'{"text": "\\u5f15\\u53f7 \\" / \\\\"}'
    )


def test_a_string_that_escapes_stays_so_beside_one_that_does_not() -> None:
    data = '["It\\u2019s here", "Café au lait", "Either \\/ or", "One/two here"]'.encode()
    assert written(opened(written(opened(data, "json"), swapped), "json"), swapped) == data


def test_half_a_surrogate_pair_stays() -> None:
    data = b'["A broken \\ud83d emoji", "A whole \\ud83d\\ude00 one"]'
    document = opened(data, "json")
    assert shown(document) == ["A broken \ufffd emoji", "A whole 😀 one"]
    assert written(document, same) == data
    assert written(opened(written(document, swapped), "json"), swapped) == data


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_json_lines(newline: str, end: str) -> None:
    lines = ['{"text": "The first line."}', "", '{"text": "The second line."}', "12"]
    data = (newline.join(lines) + (newline if end else "")).encode()
    document = opened(data, "jsonl")
    assert shown(document) == ["The first line.", "The second line."]
    assert written(document, same) == data
    assert written(opened(written(document, swapped), "jsonl"), swapped) == data


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ('{"a": "b"', 'line 1, column 10: "," or "}" is expected'),
        ('{"a": "b",\n}', "line 2, column 1: a key in double quotes"),
        ('{"a": "b\n"}', "line 1, column 9: invalid control character"),
        ("{'a': 1}", "a key in double quotes"),
        ('["a" "b"]', "is expected"),
        ("[1, 2] [3]", "nothing more should follow"),
        ("// a comment\n{}", "a value is expected"),
        ('{"a": "\\ud8"}', "invalid"),
        ("[" * 100_000, "nested more than 1000 deep"),
        ('{"a":' * 100_000, "nested more than 1000 deep"),
        ("[01]", "is expected"),
        ("<html></html>", "a value is expected"),
    ],
)
def test_damage_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message.replace("[", r"\[")):
        opened(text.encode(), "json")


def test_what_python_reads_is_read() -> None:
    values = [[[[{"a": {"": [1, -0.5e7, "", "\u2028", "\x7f"]}}]]], "x", None, True, False, float("inf"), 10**40]
    for ascii_only in (True, False):
        for indent in (None, 2):
            data = json.dumps(values, ensure_ascii=ascii_only, indent=indent).encode()
            assert written(opened(data, "json"), same) == data
