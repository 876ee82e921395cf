"""Which word before a noun may have to change with it."""

from __future__ import annotations

import pytest

from bayling_lite.translate.refining.determiners import before


@pytest.mark.parametrize(
    ("text", "code", "said", "others"),
    [
        ("Das ist die ", "de", "die ", ("der ", "das ", "den ", "dem ", "des ")),
        ("Das ", "de", "Das ", ("Der ", "Die ", "Den ", "Dem ", "Des ")),
        ("mit meinem ", "de", "meinem ", ("mein ", "meine ", "meinen ", "meiner ", "meines ")),
        ("Er ist im ", "de", "im ", ("in der ",)),
        ("In der ", "de", "In der ", ("Im ", "In die ", "In das ", "In den ", "In dem ", "In des ")),
        ("J'aime l'", "fr", "l'", ("le ", "la ", "les ")),
        ("J’aime l’", "fr", "l’", ("le ", "la ", "les ")),
        ("un ", "fr", "un ", ("une ",)),
        ("Il est au ", "fr", "au ", ("à la ", "à l'", "aux ")),
        ("not a ", "en", "a ", ("an ",)),
        ("sie ist ", "de", "", ()),
        ("Bordeaux", "fr", "", ()),
        ("aujourd'", "fr", "", ()),
        ("那是一个", "zh", "", ()),
        ("die ", "xx", "", ()),
        ("", "de", "", ()),
    ],
)
def test_a_word_that_agrees_is_found_with_its_forms(text: str, code: str, said: str, others: tuple[str, ...]) -> None:
    assert before(text, code) == (said, others)
