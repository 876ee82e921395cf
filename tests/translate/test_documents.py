"""Documents translated in one call: where the translation goes, in which encoding, and that it is whole."""

from __future__ import annotations

import io
import json
import os
import threading
import zipfile
from pathlib import Path

import pytest

from bayling_lite import DocumentJob, ScriptedEngine, Steering, translate_document
from bayling_lite.engine.scripted import Script
from bayling_lite.errors import EngineClosed, EngineError, InputError, OutputError, UsageError
from bayling_lite.messages import Conversation
from bayling_lite.translate.asking.segment_translator import SegmentTranslator
from bayling_lite.translate.formats import FormatOptions, Source, TextForm, find_format, open_document, plain
from bayling_lite.translate.job.documents import write_translation
from bayling_lite.translate.job.report import JobReport, SegmentRecord
from bayling_lite.translate.job.writing import whole_output, write_pieces
from tests.translate.formats.samples import MAKERS, Sample, sample_of
from tests.translate.pretending import SMALL, asked_text, chinese, chinese_text

LETTER = "Dear Anna,\r\n\r\nthe house is old. It is very nice!\r\n"
BRIEF = f"{chinese_text('Dear Anna,')}\r\n\r\n{chinese_text('the house is old.')}{chinese_text('It is very nice!')}\r\n"


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "letter.en.txt"
    path.write_bytes(LETTER.encode())
    return path


def engine(**options: object) -> ScriptedEngine:
    return ScriptedEngine(chinese, info=SMALL, **options)  # type: ignore[arg-type]


def test_the_translation_stands_beside_the_document(letter: Path) -> None:
    report = translate_document(letter, "zh", engine=engine())
    assert report.output == letter.with_name("letter.zh.txt")
    assert report.output.read_bytes() == BRIEF.encode()
    assert (report.ok, report.failed, report.encoding, report.source and report.source.code) == (3, 0, "utf-8", "en")
    assert letter.read_bytes() == LETTER.encode()
    assert sorted(path.name for path in letter.parent.iterdir()) == ["letter.en.txt", "letter.zh.txt"]


def test_bytes_go_to_an_open_file() -> None:
    file = io.BytesIO()
    report = translate_document(LETTER.encode(), "zh", engine=engine(), source="en", format="txt", output=file)
    assert file.getvalue() == BRIEF.encode()
    assert report.output is None


def test_a_store_lets_another_call_go_on(letter: Path, tmp_path: Path) -> None:
    calls = 0

    def script(conversation: Conversation) -> str:
        nonlocal calls
        calls += 1
        if "nice" in asked_text(conversation):
            raise EngineError("The server is gone.")
        return chinese(conversation)

    store = tmp_path / "store" / "letter.sqlite"
    with pytest.raises(EngineError):
        translate_document(letter, "zh", engine=ScriptedEngine(script, info=SMALL), source="en", store=store)
    assert not letter.with_name("letter.zh.txt").exists()
    assert not list(tmp_path.glob(".bayling-*"))
    report = translate_document(letter, "zh", engine=engine(), source="en", store=store)
    assert report.from_store + report.from_model == 3
    assert letter.with_name("letter.zh.txt").read_bytes() == BRIEF.encode()


def test_steering_and_terms_reach_the_model(letter: Path) -> None:
    scripted = engine()
    steering = Steering(formality="formal", context="A letter between old friends.")
    report = translate_document(letter, "zh", engine=scripted, source="en", steering=steering, terms=[("house", "屋")])
    said = [request.conversation.messages[-1].content for request in scripted.requests]
    assert all("A letter between old friends." in text for text in said)
    assert sum("屋" in text for text in said) == 1
    assert report.terms_required == 1
    with pytest.raises(UsageError, match="its own steering"):
        translate_document(letter, "zh", engine=SegmentTranslator(scripted), steering=steering)


def test_options_and_records() -> None:
    data = b'{"id": "A word", "title": "The house"}'
    file = io.BytesIO()
    seen: list[SegmentRecord] = []
    options = FormatOptions(keys=("title",))
    translate_document(
        *(data, "zh"),
        engine=engine(),
        source="en",
        format="json",
        options=options,
        output=file,
        on_segment=seen.append,
    )
    assert json.loads(file.getvalue()) == {"id": "A word", "title": chinese_text("The house")}
    assert [record.source for record in seen] == ["The house"]


def test_both_languages(letter: Path) -> None:
    file = io.BytesIO()
    translate_document(letter, "zh", engine=engine(), source="en", bilingual=True, output=file)
    text = file.getvalue().decode()
    assert "the house is old." in text
    assert chinese_text("the house is old.") in text


def test_what_an_encoding_cannot_hold_is_written_in_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "lettre.txt"
    path.write_bytes("La maison est à côté du café. Elle est très belle.\n".encode("cp1252"))
    script = ScriptedEngine(chinese, info=SMALL)
    report = translate_document(path, "zh", engine=script, source="fr", encoding="cp1252", output=tmp_path / "zh.txt")
    assert report.encoding == "utf-8"
    assert (tmp_path / "zh.txt").read_text(encoding="utf-8").startswith(chinese_text("La maison est"))
    gb = tmp_path / "gb.txt"
    gb.write_bytes("The house is old — 很.\n".encode("gb18030"))
    report = translate_document(gb, "zh", engine=script, source="en", encoding="gb18030", output=tmp_path / "gb.out")
    assert report.encoding == "gb18030"
    assert (tmp_path / "gb.out").read_bytes().decode("gb18030").startswith(chinese_text("The house is old"))


def test_what_was_guessed_is_written_in_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("La maison est à côté du café. Elle est très belle, et où êtes-vous né ?\n".encode("cp1252"))
    script = ScriptedEngine(lambda _: "Das Café ist schön.", info=SMALL)
    report = translate_document(path, "de", engine=script, source="fr", output=tmp_path / "b.txt")
    assert report.encoding == "utf-8"
    assert "Café" in (tmp_path / "b.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("pieces", "form", "wanted", "encoding"),
    [
        (["a", "é", "b"], TextForm("cp1252"), "aéb".encode("cp1252"), "cp1252"),
        (["a", "é"], TextForm("cp1252", guessed=True), "aé".encode(), "utf-8"),
        (["aé" * 40_000, "早", "é"], TextForm("cp1252"), ("aé" * 40_000 + "早é").encode(), "utf-8"),
        (["a", "早", "b"], TextForm("ascii", "xmlcharrefreplace"), b"a&#26089;b", "ascii"),
        (["\ufeffa", "b"], TextForm("utf-16-le"), "\ufeffab".encode("utf-16-le"), "utf-16-le"),
        (["a", "b"], TextForm("utf-16"), "ab".encode("utf-16"), "utf-16"),
        (["a", "\ud800", "b"], TextForm("utf-8"), b"a?b", "utf-8"),
        (["a\ud800", "早"], TextForm("cp1252"), "a?早".encode(), "utf-8"),
    ],
)
def test_pieces_become_bytes(pieces: list[str], form: TextForm, wanted: bytes, encoding: str) -> None:
    file = io.BytesIO()
    used = write_pieces(pieces, form, file)
    assert file.getvalue() == wanted
    assert used is not None
    assert used.encoding == encoding


def test_bytes_pieces_are_written_as_they_are() -> None:
    file = io.BytesIO()
    assert write_pieces([b"PK", b"\xff"], None, file) is None
    assert file.getvalue() == b"PK\xff"


@pytest.mark.parametrize("closes", [True, False])
def test_a_job_that_ends_early_writes_nothing(letter: Path, *, closes: bool) -> None:
    output = letter.with_name("out.txt")
    output.write_text("Old.")
    document = plain.read(Source("letter", LETTER.encode()), FormatOptions())
    with ScriptedEngine(chinese, delay=0.05, info=SMALL) as scripted:
        job = DocumentJob(document, SegmentTranslator(scripted), target="zh", source="en")
        timer = threading.Timer(0.1, scripted.close if closes else job.cancel)
        timer.start()
        if closes:
            with pytest.raises(EngineClosed, match="closed before the document was finished"):
                write_translation(job, output)
        else:
            assert write_translation(job, output).cancelled
    assert job.report.ok == 0
    assert output.read_text() == "Old."
    assert sorted(path.name for path in letter.parent.iterdir()) == ["letter.en.txt", "out.txt"]


def test_outputs_are_not_overwritten_unasked(letter: Path) -> None:
    there = letter.with_name("letter.zh.txt")
    there.write_text("Mine.")
    with pytest.raises(OutputError, match="overwrite=True"):
        translate_document(letter, "zh", engine=engine())
    assert there.read_text() == "Mine."
    translate_document(letter, "zh", engine=engine(), overwrite=True)
    assert there.read_bytes() == BRIEF.encode()
    with pytest.raises(OutputError, match="never overwritten"):
        translate_document(letter, "zh", engine=engine(), output=letter, overwrite=True)
    with pytest.raises(OutputError, match="is a folder"):
        translate_document(letter, "zh", engine=engine(), output=letter.parent)


def test_what_a_link_leads_to_is_replaced(letter: Path) -> None:
    place, link = letter.with_name("real.txt"), letter.with_name("link.txt")
    place.write_text("Old.")
    link.symlink_to(place)
    translate_document(letter, "zh", engine=engine(), output=link, overwrite=True)
    assert link.is_symlink()
    assert place.read_bytes() == BRIEF.encode()


def test_a_pipe_gets_the_whole_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    with whole_output(path) as file:
        file.write(b"all of it")
    reader.join()
    assert got == [b"all of it"]


def test_a_failing_output_is_an_output_error(letter: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written: No space left"):
        translate_document(letter, "zh", engine=engine(), output="/dev/full", overwrite=True)
    with pytest.raises(OutputError, match="cannot be written"):
        translate_document(letter, "zh", engine=engine(), output=letter.parent / "none" / "out.txt")


@pytest.mark.parametrize(
    ("document", "options", "error", "message"),
    [
        ("missing.txt", {}, InputError, "cannot be read: No such file"),
        (b"text", {"format": "txt"}, UsageError, "say where"),
        (b"text", {}, UsageError, "without a file name's ending is of an unknown format: name it"),
        (b"text", {"format": "doc", "output": io.BytesIO()}, UsageError, "no format 'doc'"),
        (b"\0\1\2\3", {"format": "txt", "output": io.BytesIO()}, InputError, "not text"),
    ],
)
def test_what_cannot_be(
    document: str | bytes, options: dict[str, object], error: type[Exception], message: str, tmp_path: Path
) -> None:
    place = tmp_path / document if isinstance(document, str) else document
    with pytest.raises(error, match=message):
        translate_document(place, "zh", engine=engine(), **options)  # type: ignore[arg-type]


def run(sample: Sample, script: Script) -> tuple[bytes, JobReport]:
    """A document translated with a script for an engine."""
    source = Source(sample.name, sample.data, sample.encoding)
    document = open_document(source, find_format(sample.format))
    scripted = ScriptedEngine(script, info=SMALL, record=False)
    job = DocumentJob(document, SegmentTranslator(scripted), target="zh", source="en")
    file = io.BytesIO()
    report = write_translation(job, file)
    return file.getvalue(), report


@pytest.mark.parametrize("name", MAKERS)
def test_documents_of_every_format_are_translated(name: str) -> None:
    sample = sample_of(name)
    data, report = run(sample, chinese)
    assert (report.failed, report.done) == (0, report.total)
    assert report.ok > 1
    if sample.format != "pdf":  # which becomes a text
        encoding = "utf-8" if report.encoding == "utf-8" else sample.encoding
        open_document(Source(sample.name, data, encoding), find_format(sample.format))


@pytest.mark.parametrize("name", MAKERS)
def test_a_document_whose_segments_all_fail_is_the_same_document(name: str) -> None:
    sample = sample_of(name)
    data, report = run(sample, lambda _: "")
    assert report.ok == 0
    assert report.failed == len(report.failures) > 1
    if sample.format != "pdf" and data != sample.data:
        assert parts(data) == parts(sample.data)


def parts(data: bytes) -> list[tuple[str, bytes]]:
    """What is in an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]
