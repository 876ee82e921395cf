"""Dialogues with required words: what may be asked for, and how."""

from __future__ import annotations

from random import Random

import pytest

from bayling_finetune.dialogues.alignment import AlignmentModel
from bayling_finetune.dialogues.kinds.constraint import ConstraintMaker
from bayling_finetune.dialogues.tools import Maker, Tools
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind
from bayling_lite.engine.words import occurs
from bayling_lite.messages import Role
from bayling_lite.prompts import Wording, translation_instruction
from tests.dialogues.toy_translations import ENGLISH, FRENCH, LEXICON, pairs


@pytest.fixture(scope="module")
def tools() -> Tools:
    return Tools(AlignmentModel.train(pairs(1500)), instructions={"en": 1.0})


def made(tools: Tools, direction: Direction, seeds: int = 40) -> list[Dialogue]:
    dialogues = (ConstraintMaker().make(direction, tools, Random(seed)) for seed in range(seeds))
    return [dialogue for dialogue in dialogues if dialogue is not None]


def asked(request: str) -> list[str]:
    """The words of a request, whose last line ends with them."""
    line = request.rsplit("\n", 1)[1]
    return line.split(": ", 1)[1].rstrip(".").split(", ")


def test_the_answer_has_what_is_asked_for_word_by_word(tools: Tools) -> None:
    maker: Maker = ConstraintMaker()
    counts = set()
    sentences = pairs(400, seed=3)
    for number, (one, other) in enumerate(zip(sentences[::2], sentences[1::2], strict=True)):
        source, reference = f"{one.source} {other.source}", f"{one.reference} {other.reference}"
        direction = Direction(source, reference, ENGLISH, FRENCH)
        dialogue = maker.make(direction, tools, Random(number))
        assert dialogue is not None
        request, answer = (message.content for message in dialogue.conversation)
        terms = asked(request)
        counts.add(len(terms))
        assert dialogue.kind is Kind.CONSTRAINT
        assert answer == direction.reference
        assert direction.source in request
        assert all(occurs(term, answer) for term in terms)
        assert all(set(term.lower().split()) <= {*LEXICON.values(), "le"} for term in terms)
        assert len(set(" ".join(terms).lower().split())) == len(" ".join(terms).split())
        assert sum(len(term) for term in terms) <= 0.6 * len(direction.reference)
    assert counts == {1, 2, 3}


def test_the_same_randomness_gives_the_same_dialogue(tools: Tools) -> None:
    direction = pairs(1, seed=4)[0]
    assert made(tools, direction) == made(tools, direction)
    assert len({dialogue.key() for dialogue in made(tools, direction)}) > 20


def test_the_products_own_wording_is_a_good_part(tools: Tools) -> None:
    own = 0
    for number, direction in enumerate(pairs(200, seed=5)):
        dialogue = ConstraintMaker().make(direction, tools, Random(number))
        assert dialogue is not None
        request = dialogue.conversation.messages[0].content
        own += request == translation_instruction(direction.source, FRENCH, terms=asked(request))
    assert own > 200 / 3
    line = translation_instruction("", FRENCH, terms=["x"], wording=Wording.ENGLISH).splitlines()[-1]
    assert line == "Make sure to include these words: x"


def test_another_translation_is_the_draft_that_lacks_the_words(tools: Tools) -> None:
    direction = pairs(1, seed=6)[0]
    # The same but for one word is another translation; what shares no word with it is none.
    draft = " ".join(["autrement", *direction.reference.split()[1:]])
    with_others = Tools(tools.lexicon, others={direction.key(): (draft,)}, instructions={"en": 1.0})
    dialogues = made(with_others, direction)
    two = [dialogue for dialogue in dialogues if dialogue.turns == 2]
    assert 10 <= len(two) <= 30
    for dialogue in two:
        request, first, again, answer = (message.content for message in dialogue.conversation)
        assert (first, answer) == (draft, direction.reference)
        assert direction.source in request
        assert direction.source in again
        assert not any(term in draft for term in asked(again))
        assert [message.role for message in dialogue.conversation][::2] == [Role.USER] * 2
        assert dialogue.learnt == (True, True)


def test_a_draft_that_has_the_words_is_not_sent_back(tools: Tools) -> None:
    direction = pairs(1, seed=6)[0]
    same = Tools(tools.lexicon, others={direction.key(): (direction.reference.upper(),)}, instructions={"en": 1.0})
    assert {dialogue.turns for dialogue in made(same, direction)} == {1}


def test_what_is_only_copied_is_not_asked_for_unless_it_is_a_name(tools: Tools) -> None:
    copied = Direction("see tensorflow 1234 now", "voir tensorflow 1234 maintenant", ENGLISH, FRENCH)
    assert made(tools, copied) == []
    name = Direction("see TensorFlow now", "voir TensorFlow maintenant", ENGLISH, FRENCH)
    assert {asked(dialogue.conversation.messages[0].content)[0] for dialogue in made(tools, name)} == {"TensorFlow"}


def test_neither_whole_sentences_nor_the_unaligned(tools: Tools) -> None:
    source, reference = next(iter(LEXICON.items()))
    assert made(tools, Direction(source, reference, ENGLISH, FRENCH)) == []
    assert made(tools, Direction("nobody knows", "rien du tout", ENGLISH, FRENCH)) == []
    assert made(tools, Direction("", "", ENGLISH, FRENCH)) == []
