"""``bayling translate`` with documents, folders, glossaries, the store and reports."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Outcome, Translate

SRT = "1\n00:00:01,000 --> 00:00:03,000\nGood morning.\n\n2\n00:00:04,500 --> 00:00:06,000\nGood evening.\n"
TO_ZH = ("--to", "zh", "--from", "en")


@pytest.fixture(autouse=True)
def _model(morning_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAYLING_MODEL", str(morning_model))


def write(name: str, text: str, encoding: str = "utf-8") -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(text.encode(encoding))


def records(outcome: Outcome) -> list[dict[str, object]]:
    return [json.loads(line) for line in outcome.out.decode().splitlines()]


def word(text: str) -> bytes:
    """A Word document of one paragraph."""
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{office}" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f"<w:document {space}><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body>"
        "</w:document>",
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return held.getvalue()


def text_of(document: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        return archive.read("word/document.xml").decode()


@pytest.mark.parametrize(
    ("name", "output", "better"),
    [
        ("a.docx", "b.txt", "b.docx"),
        ("a.docx", "b.pdf", "b.docx"),
        ("a.txt", "b.docx", "b.txt"),
        ("a.md", "b.html", "b.md"),
    ],
)
def test_an_output_is_of_the_format_that_its_name_tells(
    translate: Translate, name: str, output: str, better: str
) -> None:
    Path(name).write_bytes(word("Good morning.") if name == "a.docx" else b"Good morning.\n")
    outcome = translate(name, *TO_ZH, "-o", output)
    assert outcome.status == 2
    assert f"name it {better}." in outcome.err
    assert not Path(output).exists()


def test_files_of_other_programs_are_no_plain_text(translate: Translate) -> None:
    write("a.rtf", "{\\rtf1 Good morning.}")
    outcome = translate("a.rtf", *TO_ZH)
    assert outcome.status == 1
    assert "Save it as .docx" in outcome.err


def test_subtitles_keep_their_times(translate: Translate) -> None:
    write("film.srt", SRT)
    outcome = translate("film.srt", *TO_ZH)
    assert outcome.out.decode() == SRT.replace("Good morning.", "早").replace("Good evening.", "早")
    assert "2 segments: 2 translated" in outcome.err


def test_a_document_is_written_beside_or_where_it_is_wanted(translate: Translate) -> None:
    Path("a.docx").write_bytes(word("Good morning."))
    assert translate("a.docx", *TO_ZH, "-o", "out/").status == 0
    assert "早" in text_of(Path("out/a.zh.docx").read_bytes())
    assert "早" in text_of(translate("a.docx", *TO_ZH).out)
    assert "早" in text_of(translate("-", *TO_ZH, stdin=word("Good evening.")).out)


def test_a_terminal_is_shown_no_archive(translate: Translate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    Path("a.en.docx").write_bytes(word("Good morning."))
    outcome = translate("a.en.docx", *TO_ZH)
    assert (outcome.status, outcome.out) == (2, b"")
    assert "-o a.zh.docx" in outcome.err


def test_the_format_of_standard_input_is_told_or_sniffed(translate: Translate) -> None:
    page = b"<html><body><p>Good morning.</p></body></html>"
    assert "<p>早</p>" in translate(*TO_ZH, stdin=page).out.decode()
    assert translate(*TO_ZH, "--format", "srt", stdin=SRT.encode()).out.decode().count("-->") == 2
    assert "There is no format 'klingon'. Known: txt" in translate(*TO_ZH, "--format", "klingon").err


def test_a_folder_becomes_another(translate: Translate) -> None:
    write("site/index.md", "# Good morning\n")
    write("site/sub/film.srt", SRT)
    write("site/logo.png", "no text")
    outcome = translate("site", *TO_ZH)
    assert outcome.status == 0
    assert Path("site.zh/index.md").read_text(encoding="utf-8") == "# 早\n"
    assert Path("site.zh/sub/film.srt").read_text(encoding="utf-8").count("早") == 2
    assert "Skipped site/logo.png: its format is not known.\n" in outcome.err
    assert "3 segments: 3 translated" in outcome.err or "3 segments: 2 translated" in outcome.err
    again = translate("site", *TO_ZH)
    assert (again.status, "--force" in again.err) == (1, True)


def test_one_damaged_document_does_not_stop_the_others(translate: Translate) -> None:
    Path("a.docx").write_bytes(word("Good morning.")[:-40])
    write("b.txt", "Good morning.\n")
    write("c.md", "Good morning.\n")
    outcome = translate("a.docx", "b.txt", "c.md", *TO_ZH, "-o", "out/", "--report", "report.json")
    assert outcome.status == 1
    assert sorted(path.name for path in Path("out").iterdir()) == ["b.zh.txt", "c.zh.md"]
    assert outcome.err.count("Error: a.docx") == 1
    files = json.loads(Path("report.json").read_bytes())["files"]
    assert [(file["file"], file["error"] is None) for file in files] == [
        ("a.docx", False),
        ("b.txt", True),
        ("c.md", True),
    ]


def test_the_report_says_why_a_single_document_failed(translate: Translate) -> None:
    write("a.docx", "no archive")
    outcome = translate("a.docx", *TO_ZH, "-o", "b.docx", "--report", "report.json")
    assert outcome.status == 1
    (file,) = json.loads(Path("report.json").read_bytes())["files"]
    assert (file["file"], file["format"], file["output"]) == ("a.docx", "docx", None)
    assert file["error"] in outcome.err


def test_a_bilingual_document(translate: Translate) -> None:
    write("a.md", "Good morning.\n\nGood evening.\n")
    shown = translate("a.md", *TO_ZH, "--bilingual").out.decode()
    assert [line for line in shown.splitlines() if line.strip()] == ["Good morning.", "早", "Good evening.", "早"]
    refused = translate("--format", "json", *TO_ZH, "--bilingual", stdin=b'{"a": "Good morning."}')
    assert (refused.status, refused.out) == (2, b"")
    assert "cannot hold two languages" in refused.err


def test_values_of_json_and_columns_of_tables_are_chosen(translate: Translate) -> None:
    write("a.json", '{"title": "Good morning", "name": "Good evening"}\n')
    assert json.loads(translate("a.json", *TO_ZH, "--keys", "title").out) == {"title": "早", "name": "Good evening"}
    write("a.csv", "id,text,note\n1,Good morning,Good evening\n")
    assert translate("a.csv", *TO_ZH, "--columns", "text").out.decode() == "id,text,note\n1,早,Good evening\n"
    assert translate("a.csv", *TO_ZH, "--columns", "2, note").out.decode() == "id,text,note\n1,早,早\n"
    assert "no column 'missing'" in translate("a.csv", *TO_ZH, "--columns", "missing").err


def test_json_lines_say_what_became_of_each_segment(translate: Translate) -> None:
    write("film.srt", SRT)
    lines = records(translate("film.srt", *TO_ZH, "--json"))
    assert [(line["index"], line["place"], line["target"]) for line in lines] == [
        (0, "00:00:01", "早"),
        (1, "00:00:04", "早"),
    ]
    assert lines[0] | {"attempts": 1} == {
        "file": "film.srt",
        "index": 0,
        "place": "00:00:01",
        "source_language": "en",
        "target_language": "zh",
        "source": "Good morning.",
        "target": "早",
        "status": "ok",
        "origin": "model",
        "attempts": 1,
        "problems": [],
        "alternatives": [],
    }


def test_what_is_finished_is_not_asked_for_again(translate: Translate) -> None:
    def origins(*options: str) -> list[object]:
        return [
            line["origin"] for line in records(translate(*TO_ZH, "--json", *options, stdin=b"Good morning.\nBye.\n"))
        ]

    assert origins("--no-resume") == ["model", "model"]
    assert origins() == ["model", "model"]
    assert origins() == ["store", "store"]
    assert origins("--no-resume") == ["model", "model"]
    assert origins("--retranslate") == ["model", "model"]
    assert origins("--style", "short") == ["model", "model"]
    assert origins("--term", "morning=早") == ["model", "store"]
    refused = translate(*TO_ZH, "--no-resume", "--retranslate", stdin=b"x")
    assert (refused.status, "choose one" in refused.err) == (2, True)


def test_a_dry_run_writes_nothing(translate: Translate) -> None:
    write("a.txt", "Good morning. Good morning.\nBye.\n")
    Path("b.docx").write_bytes(word("Good evening."))
    before = {path: path.stat().st_mtime_ns for path in Path.cwd().rglob("*") if path.is_file()}
    outcome = translate("a.txt", "b.docx", *TO_ZH, "--dry-run", "-o", "out/")
    after = {path: path.stat().st_mtime_ns for path in Path.cwd().rglob("*") if path.is_file()}
    assert (outcome.status, after) == (0, before)
    rows = [line.split() for line in outcome.out.decode().splitlines()]
    assert rows[0] == ["FILE", "FORMAT", "FROM", "SEGMENTS", "DISTINCT", "STORED", "LEFT", "TOKENS"]
    assert rows[1][:7] == ["a.txt", "txt", "en", "3", "2", "0", "2"]
    assert rows[2][:7] == ["b.docx", "docx", "en", "1", "1", "0", "1"]
    assert "3 segments to translate with miniature" in outcome.out.decode()
    translate("a.txt", "-o", "a.zh.txt", *TO_ZH)
    counted = json.loads(translate("a.txt", *TO_ZH, "--dry-run", "--json").out)
    assert counted["files"][0]["stored"] == counted["files"][0]["distinct"] == 2
    assert counted["seconds"] == 0


def test_terms_of_glossaries(translate: Translate) -> None:
    write("terms.tsv", "source\ttarget\nmorning\t晨\nevening\t晚\n")
    outcome = translate(*TO_ZH, "--glossary", "terms.tsv", "--json", stdin=b"Good morning.\nGood night.\n")
    assert ["晨" in str(line["target"]) for line in records(outcome)] == [True, False]
    overruled = ("--glossary", "terms.tsv", "--term", "morning=早")
    assert records(translate(*TO_ZH, *overruled, "--json", stdin=b"Good morning.\n"))[0]["target"] == "早"
    write("bad.tsv", "morning\t早\nevening\t\n")
    refused = translate(*TO_ZH, "--glossary", "bad.tsv", stdin=b"x")
    assert (refused.status, "bad.tsv, line 2: 'evening' has no translation" in refused.err) == (1, True)


def test_terms_that_do_not_occur_are_mentioned(translate: Translate) -> None:
    write("terms.tsv", "token\t早\nhouse\t早\n")
    said = translate(*TO_ZH, "--glossary", "terms.tsv", stdin=b"Hello.\n").err
    assert said == "None of the 2 terms occurs in what was translated.\n"
    assert translate(*TO_ZH, "--glossary", "terms.tsv", stdin=b"A house.\n").err == ""
    assert translate(*TO_ZH, "--term", "token=早", stdin=b"12.\n").err.startswith("standard input: no words")


def test_what_the_texts_are_about(translate: Translate) -> None:
    write("about.txt", "A letter to a friend.\n")
    steering = (
        "--formality",
        "informal",
        "--style",
        "plain",
        "--instruction",
        "Keep names.",
        "--context",
        "@about.txt",
    )
    assert translate(*TO_ZH, *steering, stdin=b"Good morning.").out.decode() == "早"
    missing = translate(*TO_ZH, "--context", "@missing.txt", stdin=b"x")
    assert (missing.status, "missing.txt cannot be read" in missing.err) == (1, True)
    assert translate(*TO_ZH, "--formality", "rude", stdin=b"x").status == 2


def test_alternatives_have_their_place(translate: Translate) -> None:
    write("a.md", "Good morning.\n")
    for arguments in (["a.md"], ["-", "-o", "b.txt"]):
        refused = translate(*arguments, *TO_ZH, "--alternatives", "2", stdin=b"Good morning.")
        assert (refused.status, "or with --json" in refused.err) == (2, True)
    assert translate("a.md", *TO_ZH, "--alternatives", "2", "--bilingual").status == 2


@pytest.mark.slow
def test_alternatives_are_numbered(translate: Translate, tiny_model: Path) -> None:
    arguments = ("--to", "de", "--from", "en", "--model", str(tiny_model), "--alternatives", "2")
    lines = translate(*arguments, stdin=b"I am happy.\n\nWe go home.\n").out.decode().splitlines()
    assert [line[:5] for line in lines if line.startswith("  ")] == ["  1. ", "  2. ", "  1. ", "  2. "]
    assert len(lines) == 6
    listed = records(translate(*arguments, "--json", stdin=b"I am happy.\n"))[0]
    assert listed["alternatives"] == [line[5:] for line in lines[1:3]]


@pytest.mark.parametrize(
    ("encoding", "read_as", "written"),
    [("utf-8", "", "utf-8"), ("utf-16", "", "utf-16-le"), ("gb18030", "read as gb18030", "utf-8")],
)
def test_the_encoding_of_a_text_stays_unless_it_was_guessed(
    translate: Translate, encoding: str, read_as: str, written: str
) -> None:
    write("a.txt", "早上好，你今天怎么样？我们明天一起去公园吧。\n", encoding)
    outcome = translate("a.txt", "--to", "zh", "-o", "b.txt")
    assert read_as in outcome.err
    assert "我们明天" in Path("b.txt").read_bytes().decode(written)
    assert translate("a.txt", "--to", "zh").out == Path("b.txt").read_bytes()


def test_an_encoding_that_cannot_hold_a_file(translate: Translate) -> None:
    write("a.txt", "Été. Good morning.\n", "latin-1")
    outcome = translate("a.txt", *TO_ZH, "--encoding", "latin-1", "-o", "b.txt")
    assert "a.txt: the translation has characters that iso8859-1 has not" in outcome.err
    assert Path("b.txt").read_text(encoding="utf-8").endswith("早\n")


def test_failures_are_listed(translate: Translate, endless_model: Path) -> None:
    lines = ["The cat is here.\n", "The dog is there.\n"]
    write("a.txt", "".join(lines))
    outcome = translate("a.txt", *TO_ZH, "--model", str(endless_model), "-o", "b.txt", "--report", "report.json")
    assert outcome.status == 3
    assert Path("b.txt").read_text(encoding="utf-8") == "".join(lines)
    listed = [line for line in outcome.err.splitlines() if line.startswith("  line ")]
    assert len(listed) == 2
    assert listed[0].startswith("  line 1: repetition")
    assert listed[0].endswith(": The cat is here.")
    report = json.loads(Path("report.json").read_bytes())
    assert len(report["files"][0]["failures"]) == report["files"][0]["failed"] == 2
    assert report["files"][0]["failures"][0]["problems"][0]["kind"] == "repetition"


def test_an_input_in_a_language_that_the_model_does_not_know(translate: Translate, tiny_model: Path) -> None:
    write("a.txt", "x")
    write("b.txt", "x")
    outcome = translate("a.txt", "b.txt", "--to", "ja", "--model", str(tiny_model))
    assert (outcome.status, outcome.err.count("does not know Japanese")) == (2, 1)
