"""From dialogues and their answers to outputs with a verdict on each turn, and from these to scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bayling_lite.evaluate.interactive.dialogue_course import said_wishes
from bayling_lite.evaluate.interactive.refinement_sets import RefinementDialogue
from bayling_lite.evaluate.interactive.shares import share_score
from bayling_lite.evaluate.interactive.wishes import checks, followed, kept, lasting_checks, overruled
from bayling_lite.evaluate.translation.measuring import STATISTICS
from bayling_lite.evaluate.translation.metrics import score_lines
from bayling_lite.evaluate.translation.parallel_set import one_line
from bayling_lite.evaluate.values import Answer, Output, Score
from bayling_lite.languages import Language
from bayling_lite.prompts import Wording

FOLLOWED, KEPT, ALL_FOLLOWED = "instruction followed", "rest kept", "all turns followed"
STILL = "earlier wishes kept"
FIRST_BLEU, LAST_BLEU = "BLEU of first drafts", "BLEU of last drafts"
SAID, UNJUDGED = "turns said", "turns not judged"
_CHECKS = "rule:checks|phrases:words|case:sensitive|average:"
_REST = "rule:longest-common-subsequence|tokens:words,characters,marks|average:micro"


def judged(dialogue: RefinementDialogue, answer: Answer, wording: Wording) -> Output:
    """One dialogue with a verdict on each turn in its details.

    ``details["turns"]`` has for each wish that was said its ``kind``, the words (``say``), whether it was ``followed``
    (null: no rule can say), its ``checks``, and of the ``rest`` of the draft how many tokens were kept, and how many
    there were. ``still`` says whether it was so in the last draft, too (null: it was not so in its own turn, it is the
    last, or a later one takes it back). ``details["needless"]`` counts the wishes that the draft fulfilled unsaid.
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
                "still": followed(lasting),
            }
        )
    verdicts = _known(turn["followed"] for turn in turns)
    return Output(
        id=dialogue.id,
        asked=(dialogue.text, *(turn["say"] for turn in turns)),
        said=texts,
        reference=dialogue.reference,
        quality=sum(verdicts) / len(verdicts) if verdicts else None,
        problem=answer.problem,
        details={"turns": turns, "needless": len(dialogue.wishes) - len(turns), STATISTICS: _statistics(turns)},
    )


def refinement_scores(outputs: Sequence[Output]) -> list[Score]:
    """The scores of a set. What there was nothing to judge for has none."""
    statistics = [output.details[STATISTICS] for output in outputs]
    signatures = {
        FOLLOWED: f"{_CHECKS}turns",
        KEPT: _REST,
        ALL_FOLLOWED: f"{_CHECKS}dialogues",
        STILL: f"{_CHECKS}turns",
    }
    found = (
        share_score(metric, [one[metric] for one in statistics], signature) for metric, signature in signatures.items()
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
    """What came of some of the turns: percent of the instructions followed, percent of the rest kept.

    None where nothing of these turns can be judged so. ``name`` is a kind (``word``), or ``turn 2``.
    """

    name: str
    said: int
    followed: float | None
    kept: float | None


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
    (right, judged_ones), (stayed, expected) = statistics[FOLLOWED], statistics[KEPT]
    return Group(
        name,
        len(turns),
        100 * right / judged_ones if judged_ones else None,
        100 * stayed / expected if expected else None,
    )


def _statistics(turns: Sequence[dict[str, Any]]) -> dict[str, list[float]]:
    """How many of how many, for each score."""
    verdicts = _known(turn["followed"] for turn in turns)
    still = _known(turn["still"] for turn in turns)
    return {
        FOLLOWED: [sum(verdicts), len(verdicts)],
        KEPT: [sum(turn["rest"][0] for turn in turns), sum(turn["rest"][1] for turn in turns)],
        # Of the dialogues in which something was said that can be judged.
        ALL_FOLLOWED: [int(bool(verdicts) and all(verdicts)), int(bool(verdicts))],
        STILL: [sum(still), len(still)],
    }


def _turns(outputs: Sequence[Output]) -> list[dict[str, Any]]:
    return [turn for output in outputs for turn in output.details["turns"]]


def _known(verdicts: Iterable[bool | None]) -> list[bool]:
    return [verdict for verdict in verdicts if verdict is not None]
