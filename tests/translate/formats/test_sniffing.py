"""What comes without a name is told by how it begins."""

from __future__ import annotations

import io
import zipfile

import pytest

from bayling_lite.translate.formats.sniffing import sniff


def archive(*parts: tuple[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        for name, data in parts:
            file.writestr(name, data)
    return held.getvalue()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "txt"),
        (b"Good morning.", "txt"),
        (b"<b>bold</b> words", "txt"),
        (b"%PDF-1.7\n", "pdf"),
        (b"\xef\xbb\xbf<!DOCTYPE html>\n<title>x</title>", "html"),
        (b"<!-- a page -->\n<HTML lang='en'>", "html"),
        (b'<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml">', "html"),
        (b'<?xml version="1.0"?><xliff version="1.2">', "xliff"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n", "vtt"),
        (b"WEBVTTs are subtitles", "txt"),
        (b"1\r\n00:00:01,000 --> 00:00:02,000\r\nHello\r\n", "srt"),
        (b"\xef\xbb\xbf[Script Info]\r\nTitle: x\r\n", "ass"),
        (b'# A catalogue\n\nmsgid ""\nmsgstr ""\n', "po"),
        (b"% A paper\n\\documentclass[a4paper]{article}\n", "tex"),
        (b'\n{"title": "x",\n "n": 1}\n', "json"),
        (b'["a", "b"]', "json"),
        (b'{"title": "x"}\n{"title": "y"}\n', "jsonl"),
        (b"{name} is here.", "txt"),
        (b"[1] A note\n[2] Another\n", "txt"),
        (b"[" * 100_000, "txt"),
        (b"[1]\n[2]\n", "txt"),
        (b"1\n2\n3\n", "txt"),
        *((piece * 5_000, "txt") for piece in (b" \n", b"# \n", b"%\r\n", b"1 ", b"<!-- -->")),
        (archive(("[Content_Types].xml", b""), ("word/document.xml", b"")), "docx"),
        (archive(("[Content_Types].xml", b""), ("ppt/presentation.xml", b"")), "pptx"),
        (archive(("[Content_Types].xml", b""), ("xl/workbook.xml", b"")), "xlsx"),
        (archive(("mimetype", b"application/vnd.oasis.opendocument.text"), ("content.xml", b"")), "odt"),
        (archive(("mimetype", b"application/epub+zip"), ("META-INF/container.xml", b"")), "epub"),
        (b"PK\x03\x04 and nothing else", "docx"),
    ],
)
def test_formats_are_told_by_how_they_begin(data: bytes, name: str) -> None:
    assert sniff(data).name == name
