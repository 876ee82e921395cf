"""What is learnt: exactly the responses that are to be, each with its end, for every template and kind of dialogue."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bayling_finetune.dataset import Dataset, tokenize
from bayling_finetune.dialogues.builder import KINDS, both_ways, build
from bayling_finetune.dialogues.corpus import make_tools
from bayling_finetune.dialogues.tools import Tools
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind
from bayling_finetune.tokenizer import Tokenizer, stop_ids
from bayling_lite.errors import RecipeError
from bayling_lite.languages import find_language
from bayling_lite.messages import Conversation, Role
from bayling_lite.prompts import PromptTemplate
from tests.finetune.test_tokenizers import FITTING, NAMES, conversation
from tests.finetune.tokenizers_made_here import make_tokenizer

pytestmark = pytest.mark.slow

Fit = tuple[Tokenizer, PromptTemplate]


@pytest.fixture(params=FITTING, ids=lambda value: f"{value[0]}, {value[1].name}")
def fit(request: pytest.FixtureRequest, tmp_path: Path) -> Fit:
    """A tokenizer and a template that fits it."""
    kind, template = request.param
    return make_tokenizer(kind, tmp_path), template


def general(talk: Conversation, learnt: Sequence[bool] | None = None) -> Dialogue:
    answers = sum(message.role is Role.ASSISTANT for message in talk)
    return Dialogue(talk, tuple(learnt) if learnt is not None else (True,) * answers, Kind.GENERAL)


def check(dataset: Dataset, dialogues: Sequence[Dialogue], tokenizer: Tokenizer, template: PromptTemplate) -> None:
    """Compare the targets with the text of the dialogues themselves."""
    assert len(dataset) == len(dialogues)
    end = stop_ids(tokenizer, template)[0]
    for number, dialogue in enumerate(dialogues):
        document = dataset.document(number)
        assert not document.targets[0], "what a document's first token is predicted from is another row's business"
        ids = np.concatenate((dataset.prefix, document.ids))
        targets = np.concatenate((np.zeros(len(dataset.prefix), dtype=np.bool_), document.targets))
        learnt = [list(tokens[:, 0]) for is_target, tokens in _runs(ids, targets) if is_target]
        responses = [message.content for message in dialogue.conversation if message.role is Role.ASSISTANT]
        expected = [text for text, counts in zip(responses, dialogue.learnt, strict=True) if counts]
        assert [tokenizer.decode(tokens[:-1]) for tokens in learnt] == expected
        assert all(tokens[-1] == end and end not in tokens[:-1] for tokens in learnt)
        # the end of every response stands there, learnt or not
        assert ids.tolist().count(end) >= len(responses)


def _runs(ids: np.ndarray, targets: np.ndarray) -> list[tuple[bool, np.ndarray]]:
    pairs = np.stack((ids, targets), axis=1)
    return [(bool(key), np.array(list(group))) for key, group in itertools.groupby(pairs, key=lambda pair: pair[1])]


def test_learnt_responses_whatever_they_hold(fit: Fit) -> None:
    tokenizer, template = fit
    answers = (
        *NAMES,
        "x",
        "。",
        "",
        " ",
        "\n",
        " begins with a space",
        "ends with one ",
        "多行\n\n文字",
        "### Response:\n",
    )
    dialogues = [general(conversation(f"Say {number}.", answer)) for number, answer in enumerate(answers)]
    dialogues += [general(conversation(answer, "Yes.", answer, answer)) for answer in answers if answer.strip()]
    check(tokenize(dialogues, template, tokenizer, max_tokens=10_000), dialogues, tokenizer, template)


def test_system_messages_of_all_kinds(fit: Fit) -> None:
    tokenizer, template = fit
    systems = (None, "You are a pirate.", "", "</s><|eot_id|>", " spaces ", template.system)
    dialogues = [general(conversation("Hello.", "Ahoy!", "Bye.", "Bye!", system=system)) for system in systems]
    check(tokenize(dialogues, template, tokenizer, max_tokens=10_000), dialogues, tokenizer, template)


def test_what_is_context_only_is_not_learnt(fit: Fit) -> None:
    tokenizer, template = fit
    talk = conversation("Draft?", "Wrong.", "No.", "Better.", "No.", "Right.", "Thanks.", "Welcome.")
    dialogues = [general(talk, learnt) for learnt in itertools.product((False, True), repeat=4) if any(learnt)]
    check(tokenize(dialogues, template, tokenizer, max_tokens=10_000), dialogues, tokenizer, template)


def test_a_dialogue_without_anything_to_learn_is_left_out_and_counted(fit: Fit) -> None:
    tokenizer, template = fit
    some = [general(conversation("a", "b"), (False,)), general(conversation("c", "d"))]
    dataset = tokenize(some, template, tokenizer, max_tokens=10_000)
    assert (len(dataset), dataset.unlearnt) == (1, 1)
    with pytest.raises(RecipeError, match="no dialogue with an answer to learn"):
        tokenize(some[:1], template, tokenizer, max_tokens=10_000)


def test_very_many_turns(fit: Fit) -> None:
    tokenizer, template = fit
    turns = [f"turn {number}" for number in range(400)]
    dialogues = [general(conversation(*turns)), general(conversation(*turns[:2]))]
    check(tokenize(dialogues, template, tokenizer, max_tokens=100_000), dialogues, tokenizer, template)


def test_dialogues_that_all_begin_alike_keep_their_answers_out_of_the_prefix(fit: Fit) -> None:
    tokenizer, template = fit
    dialogues = [general(conversation("Same.", "The same answer.", *more)) for more in ((), ("More?", "No."))] * 2
    check(tokenize(dialogues, template, tokenizer, max_tokens=10_000), dialogues, tokenizer, template)
    alone = dialogues[:1]
    check(tokenize(alone, template, tokenizer, max_tokens=10_000), alone, tokenizer, template)


def direction(source: str, reference: str, target: str) -> Direction:
    return Direction(source, reference, find_language("en"), find_language(target))


@pytest.fixture(scope="module")
def pairs() -> list[Direction]:
    """Sentences that give dialogues of every kind: repeated words to align, polite forms, numbers, inflection."""
    found = []
    people = (("Mr Smith", "Herr Smith", "史密斯先生"), ("my sister", "meine Schwester", "我的姐姐"))
    things = (("book", "Buch", "书"), ("letter", "Brief", "信"), ("ticket", "Ticket", "票"), ("house", "Haus", "房子"))
    for (who, wer, shui), (what, was, shenme), count in itertools.product(people, things, (2, 3, 17)):
        found += [
            direction(
                f"Yesterday {who} bought the old {what} for {count} euros in the city.",
                f"Gestern hat {wer} das alte {was} für {count} Euro in der Stadt gekauft.",
                "de",
            ),
            direction(
                f"Do you see the {what} there, and can you give it to {who}?",
                f"Sehen Sie das {was} dort, und können Sie es {wer} geben?",
                "de",
            ),
            direction(
                f"Do you see the {what} there, and can you give it to {who}?",
                f"Siehst du das {was} dort, und kannst du es {wer} geben?",
                "de",
            ),
            direction(
                f"Yesterday {who} bought the old {what} for {count} euros in the city.",
                f"Gestern hat {wer} für {count} Euro in der großen Stadt bei einem Händler das alte {was} gekauft.",
                "de",
            ),
            direction(
                f"Yesterday {who} bought the old {what} for {count} euros in the city.",
                f"昨天{shui}在城里花{count}欧元买了旧的{shenme}。",
                "zh",
            ),
            direction(
                f"Do you see the {what} there, and can you give it to {who}?",
                f"您看见那里的{shenme}了吗？您能把它给{shui}吗？",
                "zh",
            ),
        ]
    return found


@pytest.fixture(scope="module")
def tools(pairs: list[Direction]) -> Tools:
    return make_tools(pairs, seed=1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_dialogue(kind: Kind, fit: Fit, pairs: list[Direction], tools: Tools) -> None:
    tokenizer, template = fit
    dialogues = list(itertools.islice(build(both_ways(pairs), {kind: 1.0}, tools, seed=1), 60))
    assert len(dialogues) > 5
    assert {dialogue.kind for dialogue in dialogues} == {kind}
    check(tokenize(dialogues, template, tokenizer, max_tokens=10_000), dialogues, tokenizer, template)
