"""A few sentences with their translations, and a lexicon written by hand, for the kinds that correct drafts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bayling_finetune.dialogues.tools import AlignedPhrase, Tools
from bayling_finetune.dialogues.values import Direction
from bayling_lite.languages import find_language

# Source, reference, and words that correspond.
_TABLE = {
    "zh": """
        We saw her off at the airport. | 我们在机场为她送行。 | airport=机场, We=我们
        He bought three books yesterday. | 他昨天买了三本书。 | books=书, yesterday=昨天, bought=买
        The weather changes very often in England. | 英国的天气经常变。 | weather=天气, England=英国, often=经常
        The cat was scared by an unfamiliar noise. | 猫被陌生的噪音惊吓了。 | cat=猫, noise=噪音, unfamiliar=陌生
        Are you free tomorrow evening? | 你明天晚上有空吗？ | tomorrow=明天, evening=晚上, free=有空
        The train leaves at 10 and arrives at 12. | 火车10点出发，12点到达。 | train=火车, leaves=出发, arrives=到达
        My friend is a teacher at this school. | 我的朋友是这所学校的一位老师。 | friend=朋友, teacher=老师, school=学校
    """,
    "de": """
        The driver maintained a high speed. | Der Fahrer behielt ein hohes Tempo bei. | driver=Fahrer, speed=Tempo
        Who ate the bread on the table? | Wer hat das Brot auf dem Tisch gegessen? | bread=Brot, table=Tisch
        I will call you at 5 o'clock. | Ich rufe dich um 5 Uhr an. | call=rufe
        She likes the old house by the river. | Sie mag das alte Haus am Fluss. | house=Haus, old=alte, river=Fluss
        My brother plays guitar every evening. | Mein Bruder spielt jeden Abend Gitarre. | guitar=Gitarre, evening=Abend
    """,
}


def _row(line: str) -> tuple[str, str, dict[str, str]]:
    source, reference, words = (part.strip() for part in line.split("|"))
    return source, reference, dict(pair.split("=") for pair in words.split(", "))


PAIRS = {code: [_row(line) for line in table.strip().splitlines()] for code, table in _TABLE.items()}
SAMPLES = {
    "en": ["garden", "doctor", "reading", "written", "bridge", "quickly", "bright", "summer", "station", "coffee"],
    "zh": ["市场", "医生", "花园", "今天", "阅读", "桥", "汽车", "声音", "出现", "同学", "漂亮"],
    "de": ["Garten", "Arzt", "gelesen", "Brücke", "schnelle", "Maus", "Woche", "Kaffee", "Lehrer", "kalte"],
}


@dataclass(frozen=True)
class WrittenLexicon:
    """Phrases by their texts, the one of the source first."""

    known: Mapping[str, str]

    def phrases(self, direction: Direction) -> Sequence[AlignedPhrase]:
        found = []
        for pair in self.known.items():
            source, reference = pair if pair[0] in direction.source else pair[::-1]
            start, place = direction.source.find(source), direction.reference.find(reference)
            if start >= 0 and place >= 0:
                found.append(AlignedPhrase((start, start + len(source)), (place, place + len(reference)), score=0.9))
        return sorted(found, key=lambda phrase: phrase.reference)

    def alternatives(self, direction: Direction, phrase: AlignedPhrase) -> Sequence[str]:
        return ()

    def fits(self, direction: Direction, span: tuple[int, int], words: str) -> bool:
        return True


@dataclass(frozen=True)
class WrittenDrafts:
    """Drafts by source."""

    known: Mapping[str, str] = field(default_factory=dict)

    def get(self, direction: Direction) -> str | None:
        return self.known.get(direction.source)


class NoLexicon:
    """Knows nothing."""

    def phrases(self, direction: Direction) -> Sequence[AlignedPhrase]:
        return ()

    def alternatives(self, direction: Direction, phrase: AlignedPhrase) -> Sequence[str]:
        return ()

    def fits(self, direction: Direction, span: tuple[int, int], words: str) -> bool:
        return True


def directions() -> list[Direction]:
    """Both ways."""
    english, found = find_language("en"), []
    for code, pairs in PAIRS.items():
        for source, reference, _ in pairs:
            direction = Direction(source, reference, english, find_language(code))
            found += [direction, direction.reversed()]
    return found


def tools(drafts: Mapping[str, str] = {}, others: Mapping[str, Sequence[str]] = {}) -> Tools:
    """With the lexicon above; ``drafts`` by source, ``others`` by direction's key."""
    known = {one: other for pairs in PAIRS.values() for *_, words in pairs for one, other in words.items()}
    return Tools(WrittenLexicon(known), SAMPLES, others, WrittenDrafts(drafts))
