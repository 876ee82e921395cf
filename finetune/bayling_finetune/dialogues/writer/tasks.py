"""What a writer is asked for, how its answers are read, and when they are believed.

An answer is believed when it is the JSON that was asked for, passes checks that need no model (the translation asked
for has the right script and a sensible length, differs from the draft, no refusal or preamble), and a second request
rates it 4 or 5 of 5.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from bayling_finetune.dialogues.validity import has_control_characters
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind, dialogue
from bayling_finetune.dialogues.wording import Intent, say
from bayling_finetune.dialogues.writer.client import Question
from bayling_lite.languages import find_language

LEAST_SCORE = 4
_MOST_TRIES = 100  # braces in an answer that are tried as the beginning of its JSON

_SYSTEM = (
    "You help to make training data for a translation assistant. You write natural, correct language. "
    "Answer with one JSON object and nothing else."
)

_STYLES = (
    *("more literary", "more conversational", "like a news report", "like a legal text", "warmer and friendlier"),
    *("plainer, for children", "like an academic paper", "like advertising copy", "more concise and businesslike"),
    *("like a diplomatic note", "livelier", "more old-fashioned"),
)


class Unusable(Exception):
    """An answer that is not believed; says why in a few words."""


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of writing. ``fields``: the texts its JSON answer must have; ``ask`` states the task for a direction."""

    kind: Kind
    fields: tuple[str, ...]
    ask: Callable[[Direction, str, Random], str]
    build: Callable[[Direction, str, Mapping[str, str], Random], Dialogue]

    def question(self, direction: Direction, language: str, random: Random) -> Question:
        """The request to write, for a user who speaks ``language`` (a code)."""
        form = ", ".join(f'"{name}": "..."' for name in self.fields)
        text = f"{self.ask(direction, language, random)}\n\nAnswer as JSON: {{{form}}}"
        return Question(_SYSTEM, text, 200 + 3 * len(direction.reference.encode()), temperature=0.7)

    def read(self, answer: str, direction: Direction) -> dict[str, str]:
        """The texts of an answer.

        Raises:
            Unusable: they are missing, empty, or a translation among them cannot be one.
        """
        said = read_json(answer)
        texts = {}
        for name in self.fields:
            value = said.get(name)
            if not isinstance(value, str) or not value.strip():
                raise Unusable("a text is missing")
            texts[name] = value.strip()
            if has_control_characters(texts[name]):
                raise Unusable("control characters")
        if "translation" in texts:
            check_translation(texts["translation"], direction)
        return texts

    def rating(self, made: Dialogue) -> Question:
        """The request to rate what was made."""
        # As JSON, so that no turn can pass itself off as two, or as the task.
        turns = "\n".join(json.dumps(message.to_dict(), ensure_ascii=False) for message in made.conversation)
        text = (
            "Rate the LAST answer of this conversation from 1 (wrong) to 5 (excellent): does it do exactly what the "
            f"user asked last, keep the meaning of the source text, and read well?\n\n{turns}\n\n"
            'Answer as JSON: {"score": 1}'
        )
        return Question(_SYSTEM, text, 60, temperature=0.0)


def read_json(answer: str) -> dict[str, object]:
    """The JSON object of an answer, also from within a code block or after thinking aloud.

    Raises:
        Unusable: there is none.
    """
    _, _, answer = answer.rpartition("</think>")
    start = answer.find("{")
    for _ in range(_MOST_TRIES):
        if start < 0:
            break
        try:
            value, _ = json.JSONDecoder(strict=False).raw_decode(answer, start)
        except (ValueError, RecursionError):  # not JSON, a number of too many digits, too deep
            start = answer.find("{", start + 1)
            continue
        assert isinstance(value, dict)  # noqa: S101 - it begins with a brace
        return value
    raise Unusable("not the JSON asked for")


def read_score(answer: str) -> int:
    """The score of a rating, from 1 to 5.

    Raises:
        Unusable: there is none.
    """
    score = read_json(answer).get("score")
    if isinstance(score, str) and re.fullmatch(r"\s*[1-5]\s*", score):
        score = int(score)
    if isinstance(score, bool) or not isinstance(score, int | float) or not 1 <= score <= 5:
        raise Unusable("no score from 1 to 5")
    return int(score)


_HAN = re.compile(r"[\u3400-\u9fff]")


def check_translation(text: str, direction: Direction) -> None:
    """Checks that need no model.

    Raises:
        Unusable: the text cannot be a translation of the source beside the reference.
    """
    if text == direction.reference:
        raise Unusable("the same as the draft")
    if text == direction.source:
        raise Unusable("the source itself")
    longest, shortest = max(len(text), len(direction.reference)), min(len(text), len(direction.reference))
    if longest > 3 * shortest + 20:
        raise Unusable("a length out of proportion")
    han = len(_HAN.findall(text)) / len(text)
    if direction.target_language.code == "zh" and han < 0.3 <= len(_HAN.findall(direction.reference)) / len(
        direction.reference
    ):
        raise Unusable("another script")
    if direction.target_language.code != "zh" and han > 0.1:
        raise Unusable("another script")


def _given(direction: Direction) -> str:
    return (
        f"{direction.source_language.english} source text: {direction.source}\n"
        f"{direction.target_language.english} translation: {direction.reference}"
    )


def _first(direction: Direction, language: str, random: Random) -> tuple[str, str]:
    """The request to translate, and the draft that answers it."""
    target = direction.target_language.code
    return say(Intent.TRANSLATE, language, random, text=direction.source, target=target), direction.reference


def _ask_style(direction: Direction, language: str, random: Random) -> str:
    user = find_language(language).english
    return (
        f"{_given(direction)}\n\nRewrite the {direction.target_language.english} translation so that it sounds "
        f'{random.choice(_STYLES)}; keep the whole meaning. In "translation" give the rewritten translation. In '
        f'"request" give what a user who speaks {user} would have said to ask for this change, in {user}, in one short '
        "sentence."
    )


def _build_style(direction: Direction, language: str, said: Mapping[str, str], random: Random) -> Dialogue:
    return dialogue(direction, Kind.STYLE, *_first(direction, language, random), said["request"], said["translation"])


def _ask_suggestion(direction: Direction, language: str, random: Random) -> str:  # noqa: ARG001 - a Task's
    user = find_language(language).english
    return (
        f"{_given(direction)}\n\nA user who speaks {user} asks an open question about this translation (whether it "
        'could be better, what fits a certain reader, how natural it sounds). In "question" give the question, in '
        f'{user}. In "answer" give one or two concrete suggestions with reasons, in {user}, in at most three '
        f'sentences. In "request" give what the user says in {user} to have them followed, in one short sentence. In '
        '"translation" give the translation with the suggestions followed.'
    )


def _build_suggestion(direction: Direction, language: str, said: Mapping[str, str], random: Random) -> Dialogue:
    return dialogue(
        direction,
        Kind.SUGGESTION,
        *_first(direction, language, random),
        said["question"],
        said["answer"],
        said["request"],
        said["translation"],
    )


def _ask_grammar(direction: Direction, language: str, random: Random) -> str:  # noqa: ARG001 - a Task's
    user = find_language(language).english
    return (
        f"{_given(direction)}\n\nA user who speaks {user} and learns {direction.target_language.english} asks about "
        'one point of grammar in this translation (a tense, an article, a particle, word order). In "question" give '
        f'the question, in {user}, quoting the words. In "answer" explain it correctly in {user}, in at most three '
        "sentences."
    )


def _build_grammar(direction: Direction, language: str, said: Mapping[str, str], random: Random) -> Dialogue:
    return dialogue(direction, Kind.GRAMMAR, *_first(direction, language, random), said["question"], said["answer"])


TASKS: dict[str, Task] = {
    "style": Task(Kind.STYLE, ("request", "translation"), _ask_style, _build_style),
    "suggestion": Task(
        Kind.SUGGESTION, ("question", "answer", "request", "translation"), _ask_suggestion, _build_suggestion
    ),
    "grammar": Task(Kind.GRAMMAR, ("question", "answer"), _ask_grammar, _build_grammar),
}
