"""Whether a text is formal or informal, where its words say so: forms of address, and English contractions.

A rule of thumb that says nothing rather than something wrong: a text with marks of both, or of neither, is undecided.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Formality = Literal["formal", "informal"]


@dataclass(frozen=True, slots=True)
class Marks:
    """The words of a language that make a text formal, and those that make it informal.

    ``verbs``: whether a verb changes with the form of address.
    """

    formal: re.Pattern[str]
    informal: re.Pattern[str]
    verbs: bool = True


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)")


MARKS: dict[str, Marks] = {
    # 你们 says nothing: there is no usual polite plural. 迷你 is "mini".
    "zh": Marks(re.compile(r"您"), re.compile(r"(?<!迷)你(?!们)"), verbs=False),
    # Only inside a sentence: at its beginning, Sie may be she or they, and Ihr may be her, their or you all.
    "de": Marks(
        re.compile(r"(?<=[\w,;:] )(?:Sie|Ihnen|Ihr(?:e[mnrs]?)?)(?!\w)"),
        _words(r"[Dd](?:u|ich|ir|ein(?:e[mnrs]?)?)|[Ee]uch|[Ee]u(?:er|re[mnrs]?)"),
    ),
    # No "ton", which is also a tone, and no rendez-vous.
    "fr": Marks(_words(r"(?<![Rr]endez-)[Vv]ous|[Vv]otre|[Vv]os"),
                re.compile(r"(?<!\w)(?:[Tt](?:u|e|oi|a|es)(?!\w)|[Tt]['’](?=\w))")),
    "es": Marks(_words(r"[Uu]sted(?:es)?|[Uu]ds?\."),
                _words(r"[Tt](?:ú|i|e|u|us)|[Cc]ontigo|[Vv](?:osotr[ao]s|uestr[ao]s?)")),
    "ru": Marks(_words(r"[Вв](?:ы|ас|ам|ами|аш(?:а|е|и|его|ему|ей|их|им|ими|у|ем)?)"),
                _words(r"[Тт](?:ы|ебя|ебе|обой|во[йяеёию]|воего|воему|воей|воих|воим|воими|воём|воем)")),
    "uk": Marks(_words(r"[Вв](?:и|ас|ам|ами|аш(?:а|е|і|ого|ому|ої|ій|их|им|ими|у)?)"),
                _words(r"[Тт](?:и|ебе|обі|обою|вій|воя|воє|вої|вого|воєї|воїх|воїм|воїми|воєму|вою)")),
    # ますます is "more and more".
    "ja": Marks(re.compile(r"(?:です|(?<!ます)ます(?!ます)|ません|でした|ました|ください|でしょう|ございます)"),
                re.compile(r"(?:だ|だよ|だね|だろう|じゃない|だった)(?=[。！？!?]|$)"), verbs=False),
    # An apostrophe with an s may be a genitive: only after a pronoun and the like is it a contraction for certain.
    "en": Marks(
        re.compile(
            r"\b(?:(?:do|does|did|is|are|was|were|has|have|had|would|could|should|must|will|need) not|cannot"
            r"|(?:I am|(?:you|we|they) are|(?:I|you|we|they) (?:have|will)|(?:he|she|it|that|there) (?:is|has|will)"
            r"|let us))\b",
            re.IGNORECASE,
        ),
        re.compile(
            r"\b(?:\w+n['’]t|(?:I|you|we|they)['’](?:m|re|ve|ll|d)|(?:he|she|it|that|there|what|who|here|let)['’](?:s|ll|d))\b",
            re.IGNORECASE,
        ),
        verbs=False,
    ),
}  # fmt: skip
"""By the code of the language."""


def is_formality(text: str, wanted: Formality, code: str) -> bool | None:
    """Whether a text is formal (informal); None where the rule cannot say.

    One mark of the other kind is enough for no; without any, it is yes where there are marks of the wanted kind.
    """
    marks = MARKS.get(code)
    if marks is None:
        return None
    good, bad = (marks.formal, marks.informal) if wanted == "formal" else (marks.informal, marks.formal)
    if bad.search(text):
        return False
    return True if good.search(text) else None
