"""Words that agree with the noun behind them: when that is replaced, another of them may be right."""

from __future__ import annotations

import re


def _families(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(line.replace("_", " ").split("|")) for line in text.split())


def _inflected(stems: str, endings: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(stem + ending for ending in endings.split("|")) for stem in stems.split())


# A space is an underscore; what ends in an apostrophe stands close to its noun.
_FAMILIES: dict[str, tuple[tuple[str, ...], ...]] = {
    "de": (
        *_families("der|die|das|den|dem|des zum|zur im|in_der am|an_der beim|bei_der vom|von_der"),
        *_inflected("ein kein mein dein sein ihr unser", "|e|en|em|er|es"),
        *_inflected("dies jed jen welch", "er|e|es|en|em"),
    ),
    "en": _families("a|an this|these that|those"),
    "es": _families("el|la|los|las un|una este|esta|estos|estas del|de_la al|a_la nuestro|nuestra"),
    "fr": _families(
        "le|la|les|l' un|une ce|cette|cet|ces du|de_la|de_l'|des au|à_la|à_l'|aux mon|ma|mes ton|ta|tes son|sa|ses "
        "quel|quelle tout|toute"
    ),
    "it": _families("il|lo|la|i|gli|le|l' un|uno|una|un' del|dello|della|dell' al|allo|alla|all' questo|questa"),
    "nl": _families("de|het dit|deze dat|die ons|onze"),
    "pt": _families("o|a|os|as um|uma do|da dos|das no|na ao|à este|esta"),
}
_BEFORE = re.compile(r"(?:(?<=\s)|^)((?:[^\W\d_]+ )?[^\W\d_]+(?: |['’]))$")


def before(text: str, code: str) -> tuple[str, tuple[str, ...]]:
    """What a text ends with that agrees with a noun behind it in the language of this code, and all that could stand in
    its place, spaces included; empty where it ends with nothing of the kind.

    >>> before("Das ist die ", "de")
    ('die ', ('der ', 'das ', 'den ', 'dem ', 'des '))
    """
    match = _BEFORE.search(text)
    if match is None:
        return "", ()
    lead = match[1].rstrip(" ").rpartition(" ")[0]
    alone = match[1][len(lead) + 1 :] if lead else match[1]
    together = _others(match[1], code) if lead else ()
    single = _others(alone, code)
    if together:
        return match[1], tuple(dict.fromkeys((*together, *(f"{lead} {one}" for one in single))))
    return (alone, single) if single else ("", ())


def _others(said: str, code: str) -> tuple[str, ...]:
    plain = said.strip().replace("’", "'").casefold()
    family: tuple[str, ...] = next((one for one in _FAMILIES.get(code, ()) if plain in one), ())
    return tuple(_like(said, one) for one in family if one != plain)


def _like(said: str, word: str) -> str:
    """A word with a capital where the other has one, and with the space that it needs."""
    word = word[0].upper() + word[1:] if said[0].isupper() else word
    return word.replace("'", "’") if "’" in said and word.endswith("'") else word if word.endswith("'") else word + " "
