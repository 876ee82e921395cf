"""Translation memories: TMX read and written, indexed once, and looked up."""

from __future__ import annotations

import codecs
import importlib.util
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bayling_lite.errors import InputError, OutputError
from bayling_lite.translate.markup import Code, Marked, MarkedBuilder, plain_text
from bayling_lite.translate.memory import TranslationMemory, Unit, Variant, read_tmx, write_tmx
from bayling_lite.translate.memory.likeness import likeness, tokens
from bayling_lite.translate.memory.memory import forget

ROOT = Path(__file__).parents[2]
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx version="1.4"><header/><body>'


def tmx(path: Path, *units: str) -> Path:
    """A TMX file; a unit is what stands in its tu element."""
    path.write_text(HEAD + "".join(f"<tu>{unit}</tu>" for unit in units) + "</body></tmx>", encoding="utf-8")
    return path


def tu(**texts: str) -> str:
    return "".join(f'<tuv xml:lang="{name.replace("_", "-")}"><seg>{text}</seg></tuv>' for name, text in texts.items())


def marked(*pieces: str | Code) -> Marked:
    builder = MarkedBuilder()
    for piece in pieces:
        if isinstance(piece, str):
            builder.text(piece)
        else:
            builder.code(piece)
    return builder.build()


BOLD, END, BREAK = Code("open", "<b>", 1), Code("close", "</b>", 1), Code("alone", "<br>")
LINK, END_LINK = Code("open", "<a>", 2), Code("close", "</a>", 2)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[TranslationMemory]:
    with TranslationMemory(tmp_path / "own", tmp_path / "cache") as opened:
        yield opened


def exact(memory: TranslationMemory, text: str, source: str = "en", target: str = "zh") -> str | None:
    found = memory.exact(plain_text(text), source, target)
    return None if found is None else found.text


def test_codes_of_every_kind_are_read(tmp_path: Path) -> None:
    source = (
        '<bpt i="1" x="7">&lt;b&gt;</bpt>Good<ept i="1">&lt;/b&gt;</ept><ph x="2"><sub>alt</sub>/</ph>'
        '<hi type="term">day</hi><it pos="begin" x="3">(</it><ut>{\\i}</ut>.'
    )
    path = tmx(tmp_path / "m.tmx", tu(en=source, zh="好"))
    (unit,) = read_tmx(path)
    assert [variant.language for variant in unit.variants] == ["en", "zh"]
    read = [(piece if isinstance(piece, str) else (piece.kind, piece.raw)) for piece in unit.variants[0].text.pieces]
    assert read == [
        *[("open", "<b>"), "Good", ("close", "</b>"), ("alone", "alt/"), ("open", ""), "day", ("close", "")],
        *[("open", "("), ("alone", "{\\i}"), "."],
    ]
    bold, end = unit.variants[0].text.codes[:2]
    assert bold.pair == end.pair
    assert len({code.pair for code in unit.variants[0].text.codes}) == 5


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    left = marked(BOLD, "Tom & <Jerry>", END, "\r\n\t“quoted” ", BREAK, LINK, "x", BREAK, END)
    right = marked(BREAK, "汤姆", BOLD, "和", END, "\U0001f600", LINK, BREAK, END)
    units = [
        Unit((Variant("en", left), Variant("zh", right)), created=0.0, properties=(("x-model", 'a "b" <c>'),)),
        Unit((Variant("en", plain_text("a\x00b\ud800")), Variant("de", plain_text("")))),
    ]
    path = tmp_path / "w.tmx"
    path.write_text("".join(write_tmx(units)), encoding="utf-8", newline="")
    first, second = read_tmx(path)
    for written, variant in zip((left, right), first.variants, strict=True):
        assert variant.text.raw() == written.raw()
        # An element has no second closing one: the second </b> is half a pair.
        assert [code.kind for code in variant.text.codes] == [code.kind for code in written.codes]
    assert [variant.text.text for variant in second.variants] == ["a\ufffdb\ufffd", ""]


def test_what_is_written_is_tmx(tmp_path: Path) -> None:
    unit = Unit((Variant("en", marked(BOLD, "a", END, BREAK)), Variant("zh", marked("b", BREAK))), created=1.0)
    root = ElementTree.fromstring("".join(write_tmx([unit], source_language="en")))
    header = root.find("header")
    assert root.get("version") == "1.4"
    assert header is not None
    needed = {"creationtool", "creationtoolversion", "segtype", "o-tmf", "adminlang", "srclang", "datatype"}
    assert needed <= set(header.keys())
    assert header.get("srclang") == "en"
    (found,) = root.iter("tu")
    assert found.get("creationdate") == "19700101T000001Z"
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    assert [tuv.get(lang) for tuv in found.iter("tuv")] == ["en", "zh"]
    assert [element.tag for element in root.iter() if element.tag in ("bpt", "ept", "ph")] == ["bpt", "ept", "ph", "ph"]
    assert len({element.get("x") for element in root.iter("ph")}) == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "iso-8859-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    declared = encoding if encoding.startswith("iso") else "utf-16" if "16" in encoding else "utf-8"
    text = HEAD.replace("UTF-8", declared) + f"<tu>{tu(en='café', fr='café noir')}</tu></body></tmx>"
    path = tmp_path / "m.tmx"
    path.write_bytes(text.encode(encoding))
    (unit,) = read_tmx(path)
    assert [variant.text.text for variant in unit.variants] == ["café", "café noir"]


BOMB = "<!DOCTYPE tmx [" + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(10)) + "]>"
EXTERNAL = '<!DOCTYPE tmx [<!ENTITY e SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "well-formed"),
        (b"plain text", "well-formed"),
        (b"\xff\xfe<\x00t", "utf-16"),
        (b"<html><body/></html>", "no TMX"),
        (b"<tmx>" + b"<a>" * 5000, "nested 1000 deep"),
        (HEAD.encode() + b"<tu>", "well-formed"),
        (HEAD.encode() + f"<tu>{tu(en='a', zh='b')}</tu></tu>".encode(), "well-formed"),
        (f"{BOMB}<tmx><body><tu>{tu(en='&e9;', zh='b')}</tu></body></tmx>".encode(), "entities"),
        (f"{EXTERNAL}<tmx><body><tu>{tu(en='&e;', zh='b')}</tu></body></tmx>".encode(), "entities"),
        (HEAD.encode() + f"<tu>{tu(en='&bogus;', zh='b')}</tu></body></tmx>".encode(), "&bogus;, which is not defined"),
        (b'<?xml version="1.0" encoding="klingon"?><tmx/>', "unknown encoding klingon"),
        (b'<?xml version="1.0" encoding="rot13"?><tmx/>', "unknown encoding rot13"),
        (b"<tmx><body><tu><tuv xml:lang='en'><seg>\xff</seg></tuv></tu></body></tmx>", "UTF-8"),
    ],
)
def test_what_is_no_memory_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "m.tmx"
    path.write_bytes(data)
    with pytest.raises(InputError, match=said):
        list(read_tmx(path))


def test_real_memories_hold_what_xml_forbids(tmp_path: Path) -> None:
    path = tmx(
        tmp_path / "m.tmx", tu(en="a\x03b&#x1F;c&#11;&nbsp;&#128512;", zh="好&#65535;&#xD800;"), tu(en="alone"), tu()
    )
    (unit,) = read_tmx(path)
    assert [variant.text.text for variant in unit.variants] == ["abc\xa0\U0001f600", "好"]


def test_a_reference_is_not_cut_by_the_pieces_it_is_read_in(tmp_path: Path) -> None:
    for shift in range(12):
        filler = "x" * ((1 << 18) - len(HEAD) - 60 + shift)
        path = tmp_path / "m.tmx"
        path.write_text(f"{HEAD}<!--{filler}--><tu>{tu(en='&#x1F;&#31;&amp;é' * 5, zh='b')}</tu></body></tmx>")
        (unit,) = read_tmx(path)
        assert unit.variants[0].text.text == "&é" * 5


@pytest.mark.slow
def test_a_file_that_goes_on_without_an_element_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.tmx"
    path.write_bytes(b"<tmx>" + b" " * (20 << 20))
    with pytest.raises(InputError, match="without an element"):
        list(read_tmx(path))


@pytest.mark.slow
def test_reading_takes_no_more_memory_for_a_larger_file(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        path = tmx(tmp_path / f"{count}.tmx", *(tu(en=f"Text {n}", zh=f"文 {n}") for n in range(count)))
        tracemalloc.start()
        assert sum(1 for _ in read_tmx(path)) == count
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(8_000) < peak(3_000) * 1.3


@pytest.mark.slow
def test_segments_that_are_no_segments_are_left_out(tmp_path: Path) -> None:
    many = "".join(f'<tuv xml:lang="x{n}"><seg>{n}</seg></tuv>' for n in range(200))
    codes = "".join(
        f'<tuv xml:lang="y{n}"><seg>{"".join(f"<ph>{n}-{m}</ph>" for m in range(9000))}</seg></tuv>' for n in range(4)
    )
    path = tmx(tmp_path / "m.tmx", tu(en="x" * 200_000, zh="长"), tu(en="<ph/>" * 40_000, zh="码"), many, codes)
    first, second = read_tmx(path)
    assert len(first.variants) == 64
    assert [variant.language for variant in second.variants] == ["y0", "y1"]
    with TranslationMemory(tmp_path / "own", tmp_path / "cache") as memory:
        assert memory.load_tmx(path).units == 2


def test_exact_matches(tmp_path: Path, memory: TranslationMemory) -> None:
    memory.load_tmx(
        tmx(
            tmp_path / "m.tmx",
            tu(en_US="Page 4 of  10\n", zh_CN="第4页，共10页"),
            tu(EN="Cafe\u0301", zh="咖啡馆", de="Café"),
            tu(en="Twice", zh="旧"),
            tu(en="Twice", zh="新"),
            tu(en="Taiwan", zh_TW="臺灣", zh_Hans_CN="台湾"),
            tu(en="One\n  line", zh="一\n  行， \n\n ABC\n字", de="Eine\nZeile"),
            tu(en="Only German", de="Nur Deutsch"),
        )
    )
    assert exact(memory, "Page 4 of 10") == "第4页，共10页"
    assert exact(memory, "Page 5 of 10") is None
    assert exact(memory, "page 4 of 10") is None
    assert exact(memory, "Café") == "咖啡馆"
    assert exact(memory, "Twice") == "新"
    assert exact(memory, "Taiwan") == "台湾"
    assert exact(memory, "Only German") is None
    assert exact(memory, "One line") == "一行， ABC 字"
    assert exact(memory, "One\nline") == "一\n  行， \n\n ABC\n字"
    assert exact(memory, "One line", "en", "de") == "Eine Zeile"
    assert exact(memory, "咖啡馆", "zh", "de") == "Café"
    assert exact(memory, "Café", "zh", "de") is None
    assert memory.exact(plain_text("Café"), None, "zh") is None


def test_exact_matches_have_the_same_codes(tmp_path: Path, memory: TranslationMemory) -> None:
    memory.load_tmx(
        tmx(
            tmp_path / "m.tmx",
            tu(
                en='Click <bpt i="1">B</bpt>here<ept i="1">E</ept> or <bpt i="2">L</bpt>there<ept i="2"/><ph x="9"/>.',
                zh='点击<bpt i="2"/>那里<ept i="2"/><ph x="9">n</ph>或<bpt i="1"/>这里<ept i="1"/>。',
            ),
            tu(en='Lost <ph x="1"/> code', zh="丢失的代码"),
            tu(en='<bpt i="1"/>Crossed<ept i="1"/>', zh='<ept i="1"/>颠倒<bpt i="1"/>'),
            tu(en='One <ph x="1"/> two', zh='二 <ph x="1"/><ph x="2"/> 一'),
        )
    )
    source = marked("Click ", LINK, "here", END_LINK, " or ", BOLD, "there", END, BREAK, ".")
    found = memory.exact(source, "en", "zh")
    assert found is not None
    assert found.raw() == "点击<b>那里</b><br>或<a>这里</a>。"
    assert found.codes == source.codes
    assert memory.exact(marked("Click here or there."), "en", "zh") is None
    assert memory.exact(marked("Click ", BOLD, "here", END, " or there", BREAK, "."), "en", "zh") is None
    assert memory.exact(marked("Lost ", BREAK, " code"), "en", "zh") is None
    assert memory.exact(marked(BOLD, "Crossed", END), "en", "zh") is None
    assert memory.exact(marked("One ", BREAK, " two"), "en", "zh") is None


def test_similar_texts(tmp_path: Path, memory: TranslationMemory) -> None:
    memory.load_tmx(
        tmx(
            tmp_path / "m.tmx",
            tu(en="The committee approved the budget for 2023.", zh="委员会批准了2023年的预算。"),
            tu(en="The committee rejected the budget for 2024 yesterday.", zh="委员会昨天否决了2024年的预算。"),
            tu(en="The <ph/>weather is fine today.", zh="今天天气很好。"),
            *(tu(en=f"The committee has {n} members and a budget.", zh=f"委员会有{n}名成员。") for n in range(600)),
        )
    )
    found = memory.similar(plain_text("The committee approved the budget for 2024."), "en", "zh")
    # Eight tokens, of which one is another; nine, of which two are.
    assert found == (
        ("The committee approved the budget for 2023.", "委员会批准了2023年的预算。", 7 / 8),
        ("The committee rejected the budget for 2024 yesterday.", "委员会昨天否决了2024年的预算。", 7 / 9),
    )
    assert len(memory.similar(plain_text("The committee has 7 members and a plan."), "en", "zh")) == 2
    assert memory.similar(plain_text("A wholly different text about nothing."), "en", "zh") == ()
    ((source, target, score),) = memory.similar(marked("The weather is ", BOLD, "fine", END, " today."), "en", "zh")
    assert (source, target, score) == ("The weather is fine today.", "今天天气很好。", 1.0)
    ((_, target, score),) = memory.similar(plain_text("今天天气不很好。"), "zh", "en")
    assert target == "The weather is fine today."
    assert score == pytest.approx(7 / 8)
    assert memory.similar(plain_text("The weather is fine today."), "de", "zh") == ()
    assert memory.similar(plain_text("  "), "en", "zh") == ()
    assert memory.note == ""


def test_without_rapidfuzz_exact_matches_are_found_and_it_says_so(
    tmp_path: Path, memory: TranslationMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.load_tmx(tmx(tmp_path / "m.tmx", tu(en="Good morning.", zh="早上好。")))
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "rapidfuzz" else find(name))
    assert exact(memory, "Good morning.") == "早上好。"
    assert memory.similar(plain_text("Good morning."), "en", "zh") == ()
    assert "pip install 'bayling-lite[documents]'" in memory.note


def test_a_file_is_indexed_once_wherever_it_lies(tmp_path: Path, memory: TranslationMemory) -> None:
    first = tmx(tmp_path / "m.tmx", tu(en="a", zh="甲"))
    calls: list[tuple[int, int]] = []
    memory.load_tmx(first, lambda done, total: calls.append((done, total)))
    assert calls[-1] == (first.stat().st_size,) * 2
    second = tmp_path / "elsewhere.tmx"
    first.rename(second)
    calls.clear()
    memory.load_tmx(second, lambda done, total: calls.append((done, total)))
    assert calls == []
    assert len(memory.memories) == 1
    tmx(second, tu(en="a", zh="乙"))
    memory.load_tmx(second)
    assert exact(memory, "a") == "乙"
    assert [about.units for about in memory.memories] == [1, 1]


def test_the_users_own_memory_is_always_looked_at(tmp_path: Path) -> None:
    path = tmx(tmp_path / "m.tmx", tu(en="a", zh="甲"))
    folders = tmp_path / "own", tmp_path / "cache"
    with TranslationMemory(*folders) as memory:
        memory.load_tmx(path)
    with TranslationMemory(*folders) as memory:
        assert memory.memories == ()
        about, is_new = memory.import_tmx(path)
        assert (about.name, about.units, about.languages, is_new) == ("m.tmx", 1, ("en", "zh"), True)
        assert not memory.import_tmx(path)[1]
    path.unlink()
    with TranslationMemory(*folders) as memory:
        assert exact(memory, "a") == "甲"
        assert memory.search("甲") == ((("zh", "甲"), ("en", "a")),)
        memory.load_tmx(tmx(path, tu(en="a", zh="乙")))
        assert exact(memory, "a") == "乙"
    forget(folders[0])
    with TranslationMemory(*folders) as memory:
        assert memory.memories == ()


def test_a_memory_that_cannot_be_used_leaves_nothing_behind(tmp_path: Path, memory: TranslationMemory) -> None:
    for unit in (tu(en="a"), tu(en="a", zh="&undefined;")):
        with pytest.raises(InputError):
            memory.load_tmx(tmx(tmp_path / "m.tmx", unit))
    assert [file.name for file in (tmp_path / "cache").iterdir()] == [".lock"]
    for name in ("missing.tmx", "."):
        with pytest.raises(InputError):
            memory.load_tmx(tmp_path / name)
    (tmp_path / "file").touch()
    with TranslationMemory(tmp_path / "own", tmp_path / "file") as other, pytest.raises(OutputError, match="indexed"):
        other.load_tmx(tmx(tmp_path / "m.tmx", tu(en="a", zh="b")))


def test_a_damaged_index_is_made_again_or_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmx(tmp_path / "m.tmx", tu(en="a", zh="甲"))
    folders = tmp_path / "own", tmp_path / "cache"
    with TranslationMemory(*folders) as memory:
        index = memory.load_tmx(path).path
    index.write_bytes(b"SQLite format 3\x00 and nothing more")
    with TranslationMemory(*folders) as memory:
        memory.load_tmx(path)
        assert exact(memory, "a") == "甲"
        own = memory.import_tmx(path)[0].path
    own.write_bytes(b"nothing")
    with pytest.raises(InputError, match="Remove it, and import the TMX file again"):
        TranslationMemory(*folders)


def processes(tmp_path: Path, path: Path, count: int) -> list[subprocess.Popen[bytes]]:
    script = (
        "import sys\nfrom pathlib import Path\nfrom bayling_lite.translate.memory import TranslationMemory\n"
        "with TranslationMemory(Path(sys.argv[1]), Path(sys.argv[2])) as memory:\n"
        "    print(memory.load_tmx(Path(sys.argv[3]), lambda *_: print('going', flush=True)).units)"
    )
    command = [sys.executable, "-W", "error", "-c", script, str(tmp_path / "own"), str(tmp_path / "cache"), str(path)]
    return [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(count)]


@pytest.mark.slow
def test_two_processes_index_it_once_and_one_that_is_killed_does_no_harm(tmp_path: Path) -> None:
    path = tmx(tmp_path / "m.tmx", *(tu(en=f"Some text number {n}", zh=f"文本 {n}") for n in range(12_000)))
    (killed,) = processes(tmp_path, path, 1)
    assert killed.stdout is not None
    assert killed.stdout.readline() == b"going\n"
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    left = {file.suffix for file in (tmp_path / "cache").iterdir()}
    assert ".sqlite" not in left
    assert ".part" in left
    both = processes(tmp_path, path, 2)
    said = [process.communicate(timeout=60)[0].split() for process in both]
    assert [lines[-1] for lines in said] == [b"12000", b"12000"]
    # One of them has read the file, the other one has waited for it.
    assert sorted(b"going" in lines for lines in said) == [False, True]
    assert sorted(file.suffix for file in (tmp_path / "cache").iterdir()) == ["", ".sqlite"]


def test_the_index_is_a_file_that_others_cannot_read(tmp_path: Path, memory: TranslationMemory) -> None:
    index = memory.load_tmx(tmx(tmp_path / "m.tmx", tu(en="a", zh="b"))).path
    assert index.stat().st_mode & 0o777 == 0o600
    assert index.parent.stat().st_mode & 0o777 == 0o700
    assert index.stat().st_mtime <= time.time()
    with sqlite3.connect(index) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def test_a_utf_8_mark_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "m.tmx"
    path.write_bytes(codecs.BOM_UTF8 + f"<tmx><body><tu>{tu(en='a', zh='b')}</tu></body></tmx>".encode())
    assert len(list(read_tmx(path))) == 1


def test_no_text_that_is_alike_enough_is_missed(tmp_path: Path, memory: TranslationMemory) -> None:
    chance = random.Random(7)
    words = [f"word{number}" for number in range(60)]
    han = [chr(0x4E00 + number) for number in range(80)]
    english = [" ".join(chance.choices(words, k=chance.randint(2, 12))) + "." for _ in range(200)]
    chinese = ["".join(chance.choices(han, k=chance.randint(2, 16))) + "。" for _ in range(200)]
    units = (tu(en=left, zh=right) for left, right in zip(english, chinese, strict=True))
    memory.load_tmx(tmx(tmp_path / "m.tmx", *units))
    for texts, alphabet, languages in ((english, words, ("en", "zh")), (chinese, han, ("zh", "en"))):
        for text in texts[:60]:
            changed = tokens(text)
            for _ in range(chance.randint(0, 4)):
                place = chance.randrange(len(changed))
                changed[place : place + chance.randint(0, 1)] = chance.choices(alphabet, k=chance.randint(0, 1))
                changed = changed or [chance.choice(alphabet)]
            asked = (" " if alphabet is words else "").join(changed)
            best = max(likeness(tokens(asked), tokens(other), 0.7) for other in texts)
            found = memory.similar(plain_text(asked), *languages, least=0.7, most=1)
            assert (found[0][2] if found else 0) == best, asked
