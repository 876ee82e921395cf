"""Every message of the interface is in the Chinese catalogue, with the same placeholders, and compiled."""

from __future__ import annotations

import polib

from tools.catalogue import CATALOGUE, faults, messages


def test_the_catalogue_is_complete() -> None:
    assert faults(polib.pofile(str(CATALOGUE)), messages()) == []


def test_the_compiled_catalogue_is_that_of_the_texts() -> None:
    assert CATALOGUE.with_suffix(".mo").read_bytes() == polib.pofile(str(CATALOGUE)).to_binary()


def test_what_is_missing_or_different_is_found() -> None:
    catalogue = polib.POFile()
    catalogue.append(polib.POEntry(msgid="{count} turns", msgstr="{n} 轮"))
    catalogue.append(polib.POEntry(msgid="gone", msgstr="没了"))
    catalogue.append(polib.POEntry(msgid="Leave", msgstr=""))
    wanted = {("{count} turns", ""): ["a.py"], ("Leave", ""): ["a.py"], ("new", ""): ["a.py"]}
    assert faults(catalogue, wanted) == [
        "not in the catalogue: 'new'",
        "no longer in the code: 'gone'",
        "other placeholders than '{count} turns': '{n} 轮'",
        "not translated: 'Leave'",
    ]
