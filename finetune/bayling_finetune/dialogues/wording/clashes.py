"""Wordings that the grammars allow and nobody would use: politeness said twice, two ways of address at once."""

from __future__ import annotations

from collections.abc import Mapping

_TU = (
    r"\b(tu|te|toi|stp|traduis|mets|dis|écris|utilise|emploie|remplace|change|corrige|enlève|supprime|retire|"
    r"ôte|ajoute|rajoute|insère|rends|fais|raccourcis|abrège|rallonge|allonge|prends|montre|donne|redonne|"
    r"renvoie|annule|défais|reviens|remets|reprends|répète|attends|vérifie|revois|oublie|fournis|aide|exprime|sois|"
    r"t'en)\b"
)
_VOUS = r"(\bvous\b|\bsvp\b|[a-zé]{3,}ez\b|\bvotre\b)"
_PLEASE = r"(plaît|\bstp\b|\bsvp\b)"

_DU, _SIE = r"\b[Dd](u|ir|eine)\b", r"\b(Sie|Ihnen)\b"

CLASHES: Mapping[str, str] = {
    "en": r"(?i)please.*please",
    "zh": r"谢谢.*谢谢|请.*请|麻烦.*请|你.*您|您.*你",
    "de": rf"(?i:bitte.*bitte)|(?i:dank.*dank)|{_DU}.*{_SIE}|{_SIE}.*{_DU}",
    "fr": rf"(?i){_TU}.*{_VOUS}|{_VOUS}.*{_TU}|{_PLEASE}.*{_PLEASE}|merci.*merci",
}
"""By the code of a language: a pattern of what clashes."""
