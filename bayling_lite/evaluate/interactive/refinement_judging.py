"""From dialogues and their answers to outputs with a verdict on each turn, and from these to scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bayling_lite.evaluate.interactive.dialogue_course import said_wishes
from bayling_lite.evaluate.interactive.refinement_sets import RefinementDialogue
from bayling_lite.evaluate.interactive.shares import share_score
from bayling_lite.evaluate.interactive.wishes import (
    LEAST_CHANGE,
    checks,
    followed,
    kept,
    lasting_checks,
    not_added,
    overruled,
)
from bayling_lite.evaluate.translation.measuring import STATISTICS
from bayling_lite.evaluate.translation.metrics import score_lines
from bayling_lite.evaluate.translation.parallel_set import one_line
from bayling_lite.evaluate.values import Answer, Output, Score
from bayling_lite.languages import Language
from bayling_lite.prompts import Wording

FOLLOWED, KEPT, NOT_ADDED = "instruction followed", "rest kept", "nothing added"
ALL_FOLLOWED, STILL, FULFILLED = "all turns followed", "earlier wishes kept", "wishes fulfilled"
FIRST_BLEU, LAST_BLEU = "BLEU of first drafts", "BLEU of last drafts"
SAID, UNJUDGED = "turns said", "turns not judged"
_LASTING = "contains:words,case-sensitive|absent:words,any-case|language:py3langid|formality:marks"
_LENGTH = f"length:letters,digits|least-change:{LEAST_CHANGE:.0%}"
_REST = "rule:longest-common-subsequence|tokens:words,characters,marks"
_SIGNATURES = {
    FOLLOWED: f"rule:checks|{_LASTING}|{_LENGTH}|average:turns",
    KEPT: f"{_REST}|share-of:old-draft|free:asked-tokens|keep:phrases|of:followed-turns|average:micro",
    NOT_ADDED: f"{_REST}|share-of:new-draft|free:asked-tokens|of:followed-turns|average:micro",
    ALL_FOLLOWED: f"rule:checks|{_LASTING}|{_LENGTH}|average:dialogues",
    STILL: f"rule:checks|{_LASTING}|draft:last|of:followed-turns|average:turns",
    FULFILLED: f"rule:checks|{_LASTING}|draft:last|of:all-wishes|average:wishes",
}


def judged(dialogue: RefinementDialogue, answer: Answer, wording: Wording) -> Output:
    """One dialogue with a verdict on each turn in its details.

    ``details["turns"]`` has for each wish that was said its ``kind``, the words (``say``), whether it was ``followed``
    (null: no rule can say), its ``checks``, of the ``rest`` of the draft how many tokens were kept, and how many there
    were, and the same of what the new draft has besides what was asked for, as far as it was ``not_added``. ``still``
    says whether it was so in the last draft, too (null: it was not so in its own turn, it is the last, or a later one
    takes it back). ``details["needless"]`` counts the wishes that the draft fulfilled unsaid; ``details["fulfilled"]``
    says of each wish whether the last draft fulfils it (null: no rule can say that of a draft alone, or a later wish
    takes it back).
    """
    texts = answer.texts
    turns: list[dict[str, Any]] = []
    said = list(said_wishes(dialogue, texts, wording))
    for number, (wish, place, say) in enumerate((one.wish, one.place, one.say) for one in said):
        before, after = texts[place], texts[place + 1]
        found = checks(wish, before, after, dialogue.target)
        verdict = followed(found)
        later = [one.wish for one in said[number + 1 :]]
        lasts = verdict and later and not any(overruled(wish, one) for one in later)
        lasting = lasting_checks(wish, texts[-1], dialogue.target) if lasts else ()
        turns.append(
            {
                "kind": wish.name,
                "say": say,
                "followed": verdict,
                "checks": [{"check": one.name, "wanted": one.wanted, "holds": one.holds} for one in found],
                "rest": list(kept(wish, before, after, dialogue.target)),
                "not_added": list(not_added(wish, before, after, dialogue.target)),
                "still": followed(lasting),
            }
        )
    verdicts = _known(turn["followed"] for turn in turns)
    fulfilled = _fulfilled(dialogue, texts[-1])
    return Output(
        id=dialogue.id,
        asked=(dialogue.text, *(turn["say"] for turn in turns)),
        said=texts,
        reference=dialogue.reference,
        quality=sum(verdicts) / len(verdicts) if verdicts else None,
        problem=answer.problem,
        details={
            "turns": turns,
            "needless": len(dialogue.wishes) - len(turns),
            "fulfilled": fulfilled,
            STATISTICS: _statistics(turns) | {FULFILLED: [sum(_known(fulfilled)), len(_known(fulfilled))]},
        },
    )


def refinement_scores(outputs: Sequence[Output]) -> list[Score]:
    """The scores of a set. What there was nothing to judge for has none."""
    statistics = [output.details[STATISTICS] for output in outputs]
    found = (
        share_score(metric, [one[metric] for one in statistics], signature) for metric, signature in _SIGNATURES.items()
    )
    scores = [score for score in found if score is not None]
    turns = _turns(outputs)
    scores.append(Score(SAID, len(turns), "rule:count"))
    if unjudged := sum(turn["followed"] is None for turn in turns):
        scores.append(Score(UNJUDGED, unjudged, "rule:count"))
    return scores


def draft_bleus(outputs: Sequence[Output], target: Language) -> list[Score]:
    """The BLEU of the first and of the last drafts; none where an output has no reference."""
    if not all(output.reference for output in outputs):
        return []
    references = [[output.reference for output in outputs]]
    scores: list[Score] = []
    for place, metric in ((0, FIRST_BLEU), (-1, LAST_BLEU)):
        scored = score_lines([one_line(output.said[place]) for output in outputs], references, target)
        scores += [replace(score, metric=metric) for score in scored.scores if score.metric == "BLEU"]
    return scores


@dataclass(frozen=True, slots=True)
class Group:
    """What came of some of the turns, in percent: instructions followed; where they were, rest kept and nothing added.

    None where nothing of these turns can be judged so. ``name`` is a kind (``word``), or ``turn 2``.
    """

    name: str
    said: int
    followed: float | None
    kept: float | None
    not_added: float | None


def breakdown(outputs: Sequence[Output]) -> tuple[Group, ...]:
    """The turns by kind, and by their place in the dialogue."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    places: dict[str, list[dict[str, Any]]] = {}
    for output in outputs:
        for place, turn in enumerate(output.details["turns"], 1):
            kinds.setdefault(turn["kind"], []).append(turn)
            places.setdefault(f"turn {place}", []).append(turn)
    return tuple(_group(name, turns) for name, turns in (*kinds.items(), *places.items()))


def _group(name: str, turns: Sequence[dict[str, Any]]) -> Group:
    statistics = _statistics(turns)
    shares = (
        100 * right / total if total else None
        for right, total in (statistics[metric] for metric in (FOLLOWED, KEPT, NOT_ADDED))
    )
    return Group(name, len(turns), *shares)


def _statistics(turns: Sequence[dict[str, Any]]) -> dict[str, list[float]]:
    """How many of how many, for each score."""
    verdicts = _known(turn["followed"] for turn in turns)
    # Who says the draft again, unchanged, has not kept the rest: nothing was done.
    done = [turn for turn in turns if turn["followed"]]
    still = _known(turn["still"] for turn in turns)
    return {
        FOLLOWED: [sum(verdicts), len(verdicts)],
        KEPT: [sum(turn["rest"][place] for turn in done) for place in (0, 1)],
        NOT_ADDED: [sum(turn["not_added"][place] for turn in done) for place in (0, 1)],
        # Of the dialogues in which something was said that can be judged.
        ALL_FOLLOWED: [int(bool(verdicts) and all(verdicts)), int(bool(verdicts))],
        STILL: [sum(still), len(still)],
    }


def _fulfilled(dialogue: RefinementDialogue, last: str) -> list[bool | None]:
    """Of each wish, said or not: the same wishes for every system, whatever its first drafts were."""
    return [
        None
        if any(overruled(wish, later) for later in dialogue.wishes[number:])
        else followed(lasting_checks(wish, last, dialogue.target))
        for number, wish in enumerate(dialogue.wishes, 1)
    ]


def _turns(outputs: Sequence[Output]) -> list[dict[str, Any]]:
    return [turn for output in outputs for turn in output.details["turns"]]


def _known(verdicts: Iterable[bool | None]) -> list[bool]:
    return [verdict for verdict in verdicts if verdict is not None]
