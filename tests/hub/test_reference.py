"""How repositories are named, and what is no name."""

from __future__ import annotations

import pytest

from bayling_lite.errors import UsageError
from bayling_lite.hub import Hub, Reference, parse_reference
from bayling_lite.hub.remote_file import is_safe_name


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("hf://ICTNLP/bayling-2-7b", Reference("ICTNLP/bayling-2-7b")),
        ("hf://ICTNLP/bayling-13b-v1.1@v2.0", Reference("ICTNLP/bayling-13b-v1.1", "v2.0")),
        ("hf://o/n@refs/pr/1", Reference("o/n", "refs/pr/1")),
        ("owner/name:Q4_K_M", Reference("owner/name", None, "Q4_K_M")),
        ("owner/name@main:Q8_0", Reference("owner/name", "main", "Q8_0")),
        ("owner/name", Reference("owner/name")),
    ],
)
def test_what_a_person_writes(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hf://",
        "name",
        "hf://datasets/owner/name",
        "owner/name/file.gguf",
        "owner/../name",
        "../name",
        "owner/na--me",
        "owner/name@",
        "owner/name@../../etc",
        "owner/name@/abs",
        "owner/name@a\\b",
        "owner/name:",
        "owner/name:Q4 K",
        "owner/name@\x1b[2J",
        "ow ner/name",
        "owner/" + "n" * 97,
    ],
)
def test_what_is_no_reference_says_what_one_looks_like(text: str) -> None:
    with pytest.raises(UsageError, match=r"write|wanted") as caught:
        parse_reference(text)
    assert "\x1b" not in str(caught.value)


def test_a_web_address_is_told_how_to_write_it() -> None:
    with pytest.raises(UsageError, match="write hf://owner/name instead"):
        parse_reference("https://huggingface.co/owner/name/tree/main")


@pytest.mark.parametrize("name", ["config.json", "a/b/c.bin", "模型.gguf", ".gitattributes", "a..b", "x y"])
def test_names_of_files_that_are_taken(name: str) -> None:
    assert is_safe_name(name)


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../x", "a/../../x", "a\\..\\x", "C:/x", "c:x", "a//b", "./a", "a/", "x\ny", "x\x1b", 7]
)
def test_names_of_files_that_are_not(name: object) -> None:
    assert not is_safe_name(name)


@pytest.mark.parametrize("endpoint", ["huggingface.co", "ftp://host", "http://", "http://[", "http://host:port"])
def test_an_endpoint_that_is_no_address(endpoint: str) -> None:
    with pytest.raises(UsageError, match="HF_ENDPOINT"):
        Hub(endpoint)
