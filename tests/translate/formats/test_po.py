import io

import polib
import pytest

from bayling_lite.errors import InputError
from bayling_lite.languages import LANGUAGES, find_language
from bayling_lite.translate.formats import Layout, TranslatedUnit
from bayling_lite.translate.formats.po.plurals import PluralForms
from bayling_lite.translate.job.writing import write_pieces
from tests.translate.formats.rewriting import Change, opened, same, shown, swapped

CATALOGUE = r"""# A program.
# Nobody, 2024.
msgid ""
msgstr ""
"Project-Id-Version: program 1.0\n"
"PO-Revision-Date: 2024-01-01 00:00+0000\n"
"Language: cs\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=3; plural=(n==1) ? 0 : (n>=2 && n<=4) ? 1 : 2;\n"

#. Opens a document
#. from the disk
# A translator's own remark
#: src/a.c:12
msgctxt "menu"
msgid "_Open %s…"
msgstr ""

#, fuzzy, c-format
#| msgctxt "old"
#| msgid "old text"
msgid ""
"A long message that goes on for a while, with \"quotes\" and a backslash \\ "
"in it, so that it is wrapped.\n"
"\n"
"Another paragraph.\n"
msgstr "Starý"

#, fuzzy
msgid "Quit"
msgstr "Konec?"

msgid "Done"
msgstr "Hotovo"

#: src/b.c:1
#, c-format
msgid "One file"
msgid_plural "%d files"
msgstr[0] ""
msgstr[1] ""

#~ msgid "gone"
#~ msgstr "pryč"
"""
TEMPLATE = r"""# Title
#, fuzzy
msgid ""
msgstr ""
"Language: \n"
"Content-Type: text/plain; charset=CHARSET\n"
"Plural-Forms: nplurals=INTEGER; plural=EXPRESSION;\n"

msgid "%d file"
msgid_plural "%d files"
msgstr[0] ""
msgstr[1] ""
"""


def written(data: bytes, change: Change, target: str = "cs") -> bytes:
    document, file = opened(data, "po"), io.BytesIO()
    units = (TranslatedUnit(unit.source, unit.source.replaced(change(unit.source))) for unit in document.units())
    write_pieces(document.write(units, Layout(find_language(target))), document.form, file)
    return file.getvalue()


def test_what_is_not_translated_is_found() -> None:
    assert shown(opened(CATALOGUE.encode(), "po")) == [
        "Open %s…",
        'A long message that goes on for a while, with "quotes" and a backslash \\ in it, so that it is wrapped.',
        "Another paragraph.",
        "Quit",
        "One file",
        "%d files",
    ]


def test_a_unit_says_where_it_stands_and_what_programmers_say() -> None:
    unit = next(opened(CATALOGUE.encode(), "po").units())
    assert (unit.place, unit.notes) == ("line 15", "menu Opens a document from the disk")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_unchanged_it_is_the_same(newline: str, mark: str) -> None:
    for text in (CATALOGUE, TEMPLATE):
        data = (mark + text).replace("\n", newline).encode()
        assert written(data, same) == data


def test_only_the_lines_of_translated_entries_change() -> None:
    new = written(CATALOGUE.encode(), swapped).decode()
    expected = (
        CATALOGUE.replace('msgid "_Open %s…"\nmsgstr ""', 'msgid "_Open %s…"\nmsgstr "_oPEN %s…"')
        .replace('#, fuzzy, c-format\n#| msgctxt "old"\n#| msgid "old text"\n', "#, c-format\n")
        .replace(
            'msgstr "Starý"',
            'msgstr ""\n"a LONG MESSAGE THAT GOES ON FOR A WHILE, WITH \\"QUOTES\\" AND A BACKSLASH \\\\ "\n'
            '"IN IT, SO THAT IT IS WRAPPED.\\n"\n"\\n"\n"aNOTHER PARAGRAPH.\\n"',
        )
        .replace('#, fuzzy\nmsgid "Quit"\nmsgstr "Konec?"', 'msgid "Quit"\nmsgstr "qUIT"')
        .replace('[0] ""\nmsgstr[1] ""', '[0] "oNE FILE"\nmsgstr[1] "%d FILES"\nmsgstr[2] "%d FILES"')
    )
    assert new == expected


def test_polib_reads_the_same_catalogue_from_it() -> None:
    new, old = polib.pofile(written(CATALOGUE.encode(), swapped).decode()), polib.pofile(CATALOGUE)
    assert new.metadata == old.metadata
    assert new.untranslated_entries() == new.fuzzy_entries() == []
    assert [(entry.msgctxt, entry.msgid, entry.comment, entry.obsolete) for entry in new] == [
        (entry.msgctxt, entry.msgid, entry.comment, entry.obsolete) for entry in old
    ]
    assert new[1].msgstr == old[1].msgid.swapcase()


def test_what_comes_back_as_it_was_stays_untranslated() -> None:
    new = written(CATALOGUE.encode(), lambda unit: "Konec" if unit.text == "Quit" else unit.text).decode()
    assert new == CATALOGUE.replace('#, fuzzy\nmsgid "Quit"\nmsgstr "Konec?"', 'msgid "Quit"\nmsgstr "Konec"')


@pytest.mark.parametrize(
    ("target", "forms"),
    [
        ("zh", ["%d FILES"]),
        ("de", ["%d FILE", "%d FILES"]),
        ("ru", ["%d FILE", "%d FILES", "%d FILES"]),
        ("ar", ["%d FILES", "%d FILE", "%d FILES", "%d FILES", "%d FILES", "%d FILES"]),
    ],
)
def test_a_template_gets_the_forms_of_the_language(target: str, forms: list[str]) -> None:
    new = polib.pofile(written(TEMPLATE.encode(), swapped, target).decode())
    if target != "zh":
        assert list(new[0].msgstr_plural.values()) == forms
    assert len(new[0].msgstr_plural) == len(forms)
    assert new.metadata["Plural-Forms"].startswith(f"nplurals={len(forms)};")
    assert new.metadata["Language"] == {"zh": "zh_CN"}.get(target, target)
    assert new.metadata["Content-Type"] == "text/plain; charset=UTF-8"
    assert not new.metadata_is_fuzzy


def test_a_singular_without_its_number_is_not_used_for_others() -> None:
    text = TEMPLATE.replace('msgid "%d file"', 'msgid "One file"')
    assert polib.pofile(written(text.encode(), swapped, "ru").decode())[0].msgstr_plural[0] == "%d FILES"
    assert polib.pofile(written(text.encode(), swapped, "zh").decode())[0].msgstr_plural == {0: "%d FILES"}
    assert polib.pofile(written(text.encode(), swapped, "de").decode())[0].msgstr_plural[0] == "oNE FILE"


@pytest.mark.parametrize("language", LANGUAGES, ids=str)
def test_every_language_has_plural_forms(language) -> None:  # type: ignore[no-untyped-def]
    forms = PluralForms.usual(language)
    used = {forms.rule(number) for number in range(1000)}
    assert used == set(range(forms.number))


@pytest.mark.parametrize(
    "header", ["", "Plural-Forms: nplurals=INTEGER; plural=EXPRESSION;", "Plural-Forms: nplurals=2; plural=__import__;"]
)
def test_a_header_that_says_nothing_of_plurals(header: str) -> None:
    assert PluralForms.of(header) is None


def test_forms_that_are_there_stay() -> None:
    text = CATALOGUE.replace('msgstr[0] ""', 'msgstr[0] "Jeden soubor"')
    new = polib.pofile(written(text.encode(), swapped).decode())
    assert new[4].msgstr_plural == {0: "Jeden soubor", 1: "%d FILES", 2: "%d FILES"}


def test_a_catalogue_that_is_not_wrapped_stays_so() -> None:
    long = "A sentence that is " + "very " * 30 + "long."
    text = f'msgid "Other"\nmsgstr "{long}"\n\nmsgid "{long}"\nmsgstr ""\n'
    assert written(text.encode(), swapped).decode() == text.removesuffix('""\n') + f'"{long.swapcase()}"\n'


def test_chinese_is_wrapped_and_reads_the_same() -> None:
    chinese = "这是一个非常长的句子，" * 12
    new = written(CATALOGUE.encode(), lambda unit: chinese + "".join(unit.used), "zh").decode()
    assert polib.pofile(new)[0].msgstr == chinese + "%s(_O)"
    assert max(len(line) for line in new.splitlines() if line.startswith('"这')) <= 42
    assert '"，' not in new


def test_an_encoding_without_the_characters_becomes_utf_8() -> None:
    text = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=ISO-8859-1\\n"\n\nmsgid "Größe"\nmsgstr ""\n'
    data = text.encode("latin-1")
    assert written(data, same) == data
    for translation in ("尺寸", "taille"):
        new = text.replace("ISO-8859-1", "UTF-8").replace('"Größe"\nmsgstr ""', f'"Größe"\nmsgstr "{translation}"')
        assert written(data, lambda unit, text=translation: text) == new.encode()  # type: ignore[misc]


@pytest.mark.parametrize(("flag", "sign"), [("#, c-format\n", "%%"), ("#, no-c-format\n", "%"), ("", "%")])
def test_a_percent_sign_is_doubled_where_one_begins_a_variable(flag: str, sign: str) -> None:
    text = f'{flag}msgid "%d percent of %s"\nmsgstr ""\n'
    new = written(text.encode(), lambda unit: unit.text.replace(" percent of ", "%: ")).decode()
    assert new == text.replace('msgstr ""', f'msgstr "%d{sign}: %s"')


def test_gb18030_stays() -> None:
    text = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=GB18030\\n"\n\nmsgid "Größe"\nmsgstr ""\n'
    new = text.replace('"Größe"\nmsgstr ""', '"Größe"\nmsgstr "尺寸"')
    assert written(text.encode("gb18030"), lambda unit: "尺寸") == new.encode("gb18030")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('msgid "a"\nmsgstr "b\n', "line 2 cannot be read"),
        ('msgid "a"\nmsgstr b"\n', "line 2 cannot be read"),
        ('msgid "a"\n\nmsgid "b"\nmsgstr ""\n', "line 3 has a second msgid"),
        ('msgid "a"\n', "line 1 has no msgstr"),
        ('msgstr "a"\n', "line 1 has no msgid"),
        ('msgid "a" "b"\nmsgstr "c"\n', "line 1 cannot be read"),
        ("Just a text.\n", "line 1 cannot be read"),
        ("# Only a comment.\n", "has no entry"),
        ('msgid ""\nmsgstr "Content-Type: text/plain; charset=klingon\\n"\n', "encoding klingon, which is unknown"),
    ],
)
def test_damage_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        opened(text.encode(), "po")


def test_text_that_is_not_in_the_encoding_it_declares() -> None:
    with pytest.raises(InputError, match="is not UTF-8 text"):
        opened(CATALOGUE.encode().replace(b"Hotovo", b"\xff"), "po")
