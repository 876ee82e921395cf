"""Test sets from files and from sacreBLEU: what belongs together, what is missing, and what a person should know."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.translation.parallel_set import ParallelSet, one_line
from bayling_lite.evaluate.translation.test_sets import set_from_files, set_from_sacrebleu
from bayling_lite.languages import find_language
from tests.evaluate.translation.translated_sets import ENGLISH, GERMAN, ROUGH, write_lines

READ = """
import sys
from bayling_lite.errors import BaylingError
from bayling_lite.evaluate.translation.test_sets import set_from_sacrebleu
try:
    found = set_from_sacrebleu(sys.argv[1], sys.argv[2], offline=sys.argv[3] == "offline")
except BaylingError as error:
    print(type(error).__name__, error)
else:
    print(found.name, found.sources, found.references)
"""


def test_files_are_read_line_by_line(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "news.en", ["One\u2028line.", "Two lines."])
    references = [write_lines(tmp_path / name, ["Eine Zeile.", "Zwei Zeilen."]) for name in ("a.de", "b.de")]
    found = set_from_files(source, references, "en", "German")
    assert (found.name, found.direction, len(found)) == ("news.en-de", "en-de", 2)
    assert found.sources == ("One\u2028line.", "Two lines.")
    assert len(found.references) == 2
    assert not list(found.notes())
    assert set_from_files(source, references, "en", "de", name="mine").name == "mine.en-de"
    assert set_from_files(None, references, "en", "de").sources == ()


def test_what_does_not_belong_together(tmp_path: Path) -> None:
    source, reference = write_lines(tmp_path / "s", ENGLISH), write_lines(tmp_path / "r", GERMAN[:4])
    with pytest.raises(InputError, match=r"r has 4 lines, .*s has 6"):
        set_from_files(source, [reference], "en", "de")
    whole, empty = write_lines(tmp_path / "w", GERMAN), write_lines(tmp_path / "e", [])
    with pytest.raises(InputError, match="e is empty"):
        set_from_files(source, [whole, empty], "en", "de")
    with pytest.raises(InputError, match="cannot be read"):
        set_from_files(tmp_path / "absent", [whole], "en", "de")
    with pytest.raises(UsageError, match="--reference"):
        set_from_files(source, [], "en", "de")


def test_languages(tmp_path: Path) -> None:
    source, reference = write_lines(tmp_path / "s", ENGLISH), write_lines(tmp_path / "r", GERMAN)
    with pytest.raises(UsageError, match=r"'xx'.*zh \(Chinese\), de \(German\)"):
        set_from_files(source, [reference], "en", "xx")
    with pytest.raises(UsageError, match="both German"):
        set_from_files(source, [reference], "de", "German")


def test_values_that_cannot_be() -> None:
    english, german = find_language("en"), find_language("de")
    with pytest.raises(InputError, match="no reference"):
        ParallelSet("x", english, german, ENGLISH, ())
    with pytest.raises(InputError, match="6 and 7 lines"):
        ParallelSet("x", english, german, ENGLISH, ((*GERMAN, "more"),))
    with pytest.raises(InputError, match="empty"):
        ParallelSet("x", english, german, (), ((),))


def test_empty_lines_are_told_of() -> None:
    references = (("", *GERMAN[1:]), ("",) * len(GERMAN))
    found = ParallelSet("x", find_language("en"), find_language("de"), ENGLISH, references)
    assert list(found.notes()) == [
        "Warning: x: reference line 1 is empty: nothing can be right there.",
        "Warning: x: 6 reference lines are empty (1, 2, 3, 4, 5, …): nothing can be right there.",
    ]
    assert list(found.first(1).notes())[1].startswith("Warning: x: reference line 1 is empty")
    blank = ParallelSet("y", found.source, found.target, ("One.", " "), (("Eins.", "Zwei."),))
    assert [note for note in blank.notes() if "source line 2" in note]


def test_what_is_compared_is_one_line() -> None:
    assert one_line(" Eine\r\n\n Zeile. \n") == "Eine Zeile."
    assert one_line("Das\u2028bleibt.") == "Das\u2028bleibt."


def test_sets_that_sacrebleu_does_not_know() -> None:
    with pytest.raises(UsageError, match=r"'wmt99'.*wmt21"):
        set_from_sacrebleu("wmt99", "en-de")
    with pytest.raises(UsageError, match=r"no pair 'en-zz'.*zh-en"):
        set_from_sacrebleu("wmt21", "en-zz")


def read_from(folder: Path, name: str, pair: str, network: str = "") -> str:
    """What comes of reading a set in another process, whose sacreBLEU has the folder for its own.

    Nothing listens where it is told that the network is.
    """
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    variables = {**os.environ, **nowhere, "SACREBLEU": str(folder), "no_proxy": "", "NO_PROXY": ""}
    command = [sys.executable, "-c", READ, name, pair, network]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout.strip()


def test_a_set_that_is_in_the_folder_of_sacrebleu(tmp_path: Path) -> None:
    place = tmp_path / "multi30k" / "2016"
    write_lines(place / "multi30k_2016.en-de.src", ENGLISH[:2])
    write_lines(place / "multi30k_2016.en-de.ref", GERMAN[:2])
    expected = f"multi30k/2016.en-de {ENGLISH[:2]} {(GERMAN[:2],)}"
    assert read_from(tmp_path, "multi30k/2016", "en-de", "offline") == expected
    assert read_from(tmp_path, "multi30k/2016", "en-de") == expected
    write_lines(place / "multi30k_2016.en-de.ref", ROUGH[:1])
    assert read_from(tmp_path, "multi30k/2016", "en-de").startswith("InputError")


def test_a_set_with_several_references(tmp_path: Path) -> None:
    place = tmp_path / "wmt20" / "tworefs"
    fields = {"src": "One.", "ref-0": "Eins.", "ref-1": "Eine.", "docid": "x", "genre": "x", "origlang": "x"}
    for field, line in fields.items():
        write_lines(place / f"wmt20_tworefs.en-de.{field}", [line])
    assert read_from(tmp_path, "wmt20/tworefs", "en-de") == ("wmt20/tworefs.en-de ('One.',) (('Eins.',), ('Eine.',))")
    # There is such a set of a language that has no name here.
    assert "Unknown language 'fi'" in read_from(tmp_path, "wmt17/tworefs", "en-fi")


@pytest.mark.parametrize(("network", "why"), [("", "refused"), ("offline", "BAYLING_OFFLINE")])
def test_a_set_that_cannot_be_downloaded(tmp_path: Path, network: str, why: str) -> None:
    said = read_from(tmp_path / "empty", "wmt21", "en-de", network)
    assert said.startswith("UsageError")
    assert why in said
    assert "sacrebleu --test-set wmt21 --language-pair en-de --echo src" in said


@pytest.mark.parametrize("unpacked", [None, "no XML", "<dataset><doc/></dataset>"])
def test_a_download_that_is_damaged(tmp_path: Path, unpacked: str | None) -> None:
    raw = tmp_path / "wmt21" / "raw"
    write_lines(raw / "wmt21.test.tgz", ["broken"])
    if unpacked is not None:
        write_lines(raw / "test" / "newstest2021.en-de.xml", [unpacked])
    said = read_from(tmp_path, "wmt21", "en-de", "offline")
    assert said.startswith(f"InputError What is in {tmp_path / 'wmt21'} is damaged.")
