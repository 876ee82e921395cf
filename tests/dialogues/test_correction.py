"""Correcting drafts: the feedback is true, each answer is the draft with exactly the changes asked for."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from random import Random

import pytest

from bayling_finetune.dialogues import grammar_mistakes, mistakes, spoiling
from bayling_finetune.dialogues.changes import Change
from bayling_finetune.dialogues.differences import difference
from bayling_finetune.dialogues.feedback import Critic, Stage, joined
from bayling_finetune.dialogues.kinds.correction import CorrectionMaker
from bayling_finetune.dialogues.kinds.grammar import GrammarMaker
from bayling_finetune.dialogues.kinds.replacement import ReplacementMaker
from bayling_finetune.dialogues.spoiling import Reference
from bayling_finetune.dialogues.tools import AlignedPhrase, Maker, Tools
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind
from bayling_lite.languages import find_language
from bayling_lite.messages import Role
from tests.dialogues.small_corpus import directions, tools

EN, ZH = find_language("en"), find_language("zh")
AIRPORT = Direction("We saw her off at the airport.", "我们在机场为她送行。", EN, ZH)
SEEDS = range(15)


def make(maker: Maker, direction: Direction, with_tools: Tools, seed: int = 0) -> Dialogue | None:
    return maker.make(direction, with_tools, Random(f"{seed} {direction.key()}"))


def versions(made: Dialogue) -> list[str]:
    return [message.content for message in made.conversation if message.role is Role.ASSISTANT]


def requests(made: Dialogue) -> list[str]:
    return [message.content for message in made.conversation if message.role is Role.USER]


MAKERS: dict[Kind, Maker] = {made.kind: made for made in (CorrectionMaker(), GrammarMaker(), ReplacementMaker())}


@functools.cache
def many(kind: Kind) -> list[tuple[Direction, Dialogue]]:
    """Dialogues of all directions, several of each, without drafts of a model."""
    maker, given = MAKERS[kind], tools()
    found = [(direction, make(maker, direction, given, seed)) for seed in SEEDS for direction in directions()]
    return [(direction, made) for direction, made in found if made is not None]


@pytest.mark.parametrize("kind", MAKERS)
def test_makers_are_pure(kind: Kind) -> None:
    maker, given = MAKERS[kind], tools()
    for direction in directions():
        assert make(maker, direction, given, 3) == make(maker, direction, given, 3)
    assert len({made.key() for _, made in many(kind)}) > 100


def test_corrections_end_with_the_reference_and_never_teach_a_wrong_draft() -> None:
    made = many(Kind.CORRECTION)
    assert len(made) > 0.9 * len(SEEDS) * len(directions())
    for direction, dialogue in made:
        drafts = versions(dialogue)
        assert dialogue.kind is Kind.CORRECTION
        assert drafts[-1] == direction.reference
        assert dialogue.learnt == (False, *(True for _ in drafts[1:]))
        assert direction.source in requests(dialogue)[0]
        assert 2 <= len(drafts) <= 5
        assert not any("  " in draft or draft != draft.strip() for draft in drafts)


def test_every_answer_makes_some_of_the_edits_and_nothing_else() -> None:
    for kind in (Kind.CORRECTION, Kind.GRAMMAR):
        for direction, dialogue in many(kind):
            drafts = versions(dialogue)
            compared = difference(drafts[0], direction.reference, direction.target_language)
            left = set(compared.edits)
            for version in drafts[1:]:
                # One or two of those that were left were made.
                steps = [
                    {one, other}
                    for one in left
                    for other in left
                    if compared.apply(set(compared.edits) - left | {one, other}) == version
                ]
                assert steps, (drafts, compared.edits)
                left -= steps[0]


_FIXED = re.compile(
    r'Fix "(?P<wrong>[^"]+)": it should be "(?P<right>[^"]+)"\.|请改正“(?P<bad>[^”]+)”，应为“(?P<good>[^”]+)”。'
)
_USED = re.compile(r'Use the word "([^"]+)"\.|请使用“([^”]+)”这个词。')


@pytest.mark.parametrize("kind", MAKERS)
def test_what_is_quoted_is_there_once(kind: Kind) -> None:
    quoted = 0
    for _, dialogue in many(kind):
        drafts = versions(dialogue)
        for request, before, after in zip(requests(dialogue)[1:], drafts, drafts[1:], strict=False):
            for match in _FIXED.finditer(request):
                quoted += 1
                wrong, right = match["wrong"] or match["bad"], match["right"] or match["good"]
                assert len(re.findall(_as_words(wrong), before, re.IGNORECASE)) == 1, (request, before)
                assert right in after
            for match in _USED.finditer(request):
                quoted += 1
                word = match[1] or match[2]
                assert word not in before
                assert word in after
    assert quoted > 15


def _as_words(phrase: str) -> str:
    border = "[a-zA-Z0-9äöüßÄÖÜ]" if re.search("[a-z]", phrase) else "(?!)"
    return rf"(?<!{border}){re.escape(phrase)}(?!{border})"


def test_a_repeated_word_is_quoted_with_its_neighbours() -> None:
    draft, reference = "He put a cup on the table by the door.", "He put the cup on a table by the door."
    compared = difference(draft, reference, EN)
    assert [edit.change for edit in compared.edits] == [Change.GRAMMAR, Change.GRAMMAR]
    first, second = compared.edits
    assert Stage(draft, (), (first,), EN).quoted(first) == ("a", "the")
    assert Stage(draft, (first,), (second,), EN).quoted(second) == ("the table", "a table")
    # Both at once: each is quoted in the draft as it is, and neighbours that change as well are not quoted.
    assert Stage(draft, (), (first, second), EN).quoted(second) == ("the table", "a table")


@pytest.mark.parametrize(
    ("draft", "reference", "quoted"),
    [
        ("What is your your address?", "What is your address?", ("your your", "your")),
        ("你看上去看上去不太好。", "你看上去不太好。", ("看上去看上去", "看上去")),
    ],
)
def test_of_a_word_that_is_there_twice_both_are_quoted(draft: str, reference: str, quoted: tuple[str, str]) -> None:
    language = ZH if "。" in draft else EN
    (edit,) = difference(draft, reference, language).edits
    assert Stage(draft, (), (edit,), language).quoted(edit) == quoted


def test_what_is_told_by_itself_must_be_new() -> None:
    draft, reference = "He likes tea.", "He likes tea and likes milk."
    edit = difference(draft, reference, EN).edits[0]
    assert Stage(draft, (), (edit,), EN).added(edit) == "and likes milk"
    twice = difference("The man saw.", "The man saw the man.", EN)
    assert Stage(twice.draft, (), twice.edits, EN).added(twice.edits[0]) is None


def test_a_chinese_particle_is_quoted_with_the_word_before_it() -> None:
    compared = difference("我们看见他们和朋友们。", "我们看见了他们和朋友们。", ZH)
    (edit,) = compared.edits
    assert Stage(compared.draft, (), (edit,), ZH).quoted(edit) == ("看见", "看见了")


def test_a_term_is_told_by_the_source() -> None:
    critic = Critic(AIRPORT, "en", tools().lexicon.phrases(AIRPORT))
    compared = difference("我们在车站为她送行。", AIRPORT.reference, ZH)
    said = {turns[0][0] for seed in range(60) if (turns := critic.turns(compared, Random(seed)))}
    assert any("airport" in text and "机场" in text and "车站" not in text for text in said)
    assert any("车站" in text and "机场" in text for text in said)


def test_punctuation_is_quoted_with_a_word() -> None:
    compared = difference("Komm zwei Uhr.", "Komm zwei Uhr!", find_language("de"))
    (edit,) = compared.edits
    assert Stage(compared.draft, (), (edit,), find_language("de")).quoted(edit) == ("Uhr.", "Uhr!")


def test_a_term_that_stays_as_it_is_is_no_term() -> None:
    direction = Direction("Call torch.stack here.", "在这里调用 torch.stack 吧。", EN, ZH)
    phrases = [AlignedPhrase((5, 16), (6, 17), 1.0)]
    compared = difference("在这里调用 numpy.stack 吧。", direction.reference, ZH)
    for seed in range(40):
        turns = Critic(direction, "en", phrases).turns(compared, Random(seed))
        assert turns is not None
        assert turns[0][0].count("torch.stack") == 1


def test_punctuation_that_cannot_be_told_may_stay() -> None:
    draft, reference = "He came , he saw , he won a prize.", "He came, he saw, he won the prize."
    compared = difference(draft, reference, EN)
    assert {edit.change for edit in compared.edits} == {Change.PUNCTUATION, Change.GRAMMAR}
    for seed in range(20):
        turns = Critic(AIRPORT.reversed(), "en").turns(compared, Random(seed))
        assert turns is not None
        assert "the prize" in turns[-1][1]


def test_too_many_edits_are_no_correction() -> None:
    compared = difference("a b c d e f g h i j k l m n o", "a x c x e x g x i x k x m x o", EN)
    assert len(compared.edits) == 7
    assert Critic(AIRPORT, "en").turns(compared, Random(1)) is None


def test_remarks_are_joined_so_that_they_can_be_told_apart() -> None:
    assert joined(["One.", "Two"]) == "One. Two"
    assert joined(["one", "two"]) == "one\ntwo"
    assert joined(["请改正。", "谢谢。"]) == "请改正。谢谢。"


def test_a_real_draft_is_corrected_if_it_is_near() -> None:
    near = tools({AIRPORT.source: "我们在机场看到了她送行。"})
    found = [made for seed in SEEDS if (made := make(CorrectionMaker(), AIRPORT, near, seed))]
    real = [made for made in found if versions(made)[0] == "我们在机场看到了她送行。"]
    assert len(real) > 0.7 * len(found)
    for useless in (AIRPORT.reference, "早上好，大家。", "昨天她们在车站等了很久。"):
        given = tools({AIRPORT.source: useless})
        for seed in SEEDS:
            made = make(CorrectionMaker(), AIRPORT, given, seed)
            assert made is None or versions(made)[0] != useless


def test_another_reference_is_right_and_learnt() -> None:
    other = "我们在机场给她送行。"
    given = tools(others={AIRPORT.key(): [other]})
    found = [made for seed in SEEDS if (made := make(CorrectionMaker(), AIRPORT, given, seed))]
    right = [made for made in found if versions(made)[0] == other]
    assert len(right) > 2
    assert all(made.learnt == (True, True) for made in right)
    assert not any(re.search("wrong|incorrect|mistake|错", requests(made)[1]) for made in right[:5])


def test_grammar_is_all_that_is_wrong() -> None:
    made = many(Kind.GRAMMAR)
    assert len({direction.key() for direction, _ in made}) > len(directions()) / 2
    for direction, dialogue in made:
        compared = difference(versions(dialogue)[0], direction.reference, direction.target_language)
        assert {edit.change for edit in compared.edits} == {Change.GRAMMAR}
        assert dialogue.kind is Kind.GRAMMAR
        assert not dialogue.learnt[0]
        assert versions(dialogue)[-1] == direction.reference


def test_the_grammar_of_a_real_draft_with_its_words_put_right() -> None:
    direction = Direction("她喜欢河边的老房子。", "She likes the old house by the river.", ZH, EN)
    given = tools({direction.source: "She like the old home by the river."})
    made = make(GrammarMaker(), direction, given)
    assert made is not None
    assert versions(made) == ["She like the old house by the river.", direction.reference]


def test_a_replacement_leaves_the_rest_as_it_is() -> None:
    made = many(Kind.REPLACEMENT)
    assert len(made) > 100
    for direction, dialogue in made:
        drafts = versions(dialogue)
        assert drafts[0] == direction.reference
        assert all(dialogue.learnt)
        for request, before, after in zip(requests(dialogue)[1:], drafts, drafts[1:], strict=False):
            assert before != after
            compared = difference(before, after, direction.target_language)
            assert len(compared.edits) == 1
            edit = compared.edits[0]
            assert edit.new.strip() in request or set(edit.new) & set(request)


@pytest.mark.parametrize(
    ("spoil", "code", "reference", "least"),
    [
        (mistakes.foreign, "zh", AIRPORT.reference, 2),
        (mistakes.untranslated, "zh", AIRPORT.reference, 1),
        (mistakes.dropped, "zh", AIRPORT.reference, 1),
        (mistakes.doubled, "en", "We saw her off at the airport.", 4),
        (mistakes.superfluous, "en", "We saw her off at the airport.", 3),
        (mistakes.superfluous, "de", "Er ist ein guter Lehrer.", 3),
        (mistakes.superfluous, "zh", "他昨天买了三本书。", 3),
        (mistakes.number_changed, "en", "The train leaves at 10:30 and arrives at noon.", 5),
        (mistakes.number_changed, "zh", "他昨天买了三本书。", 5),
        (mistakes.number_changed, "de", "Sie hat vier Katzen.", 5),
        (grammar_mistakes.other_form, "de", "Ich sehe den alten Mann.", 3),
        (grammar_mistakes.other_form, "fr", "Elle voit la maison.", 3),
        (grammar_mistakes.without_article, "en", "We saw her off at the airport.", 1),
        (grammar_mistakes.without_ending, "en", "Every day he takes the bus.", 1),
        (grammar_mistakes.wrong_measure, "zh", "他昨天买了三本书。", 3),
        (grammar_mistakes.wrong_particle, "zh", "他跑得很快。", 1),
    ],
)
def test_mistakes_are_mistakes_and_can_be_put_right(
    spoil: Callable[[Reference, Random], spoiling.Spoilt | None], code: str, reference: str, least: int
) -> None:
    direction = Direction("We saw her off at the airport.", reference, EN, find_language(code))
    if code == "en":
        direction = Direction("我们在机场为她送行。", reference, ZH, EN)
    given = tools()
    spoilt = Reference(direction, given.lexicon, given.samples.get(code, ()))
    drafts = {spoiling.spoil(spoilt, {spoil: 1.0}, 1, Random(seed)) for seed in range(40)}
    assert None not in drafts
    assert len(drafts) >= least
    for draft in drafts:
        compared = difference(str(draft), reference, direction.target_language)
        assert compared.draft != reference
        assert len(compared.edits) == 1, compared
        assert compared.apply(compared.edits) == reference


@pytest.mark.parametrize(
    ("spoil", "code", "reference"),
    [
        (mistakes.number_changed, "en", "One of us was there."),
        (grammar_mistakes.without_ending, "en", "He always speaks of his address; this is it."),
        (grammar_mistakes.without_ending, "de", "Das ist es."),
        (grammar_mistakes.wrong_measure, "zh", "他的个子很高。"),
        (grammar_mistakes.wrong_particle, "zh", "我觉得他不错。"),
        (grammar_mistakes.wrong_particle, "zh", "他昨天买了三本书。"),
        (grammar_mistakes.other_form, "en", "The dogs bark."),
        # Another tense is another statement, no mistake in grammar.
        (grammar_mistakes.other_form, "en", "Would the good teacher left after lunch?"),
        (grammar_mistakes.other_form, "fr", "Sera-t-il ici demain ?"),
        (grammar_mistakes.without_article, "en", "He likes the small houses."),
        (grammar_mistakes.without_article, "de", "Er mag die Katzen."),
        (mistakes.dropped, "en", "Yes!"),
        (mistakes.superfluous, "en", "Where are they?"),
        (mistakes.superfluous, "zh", "汤姆喜欢他们。"),
    ],
)
def test_what_is_no_certain_mistake_is_left_alone(
    spoil: Callable[[Reference, Random], spoiling.Spoilt | None], code: str, reference: str
) -> None:
    direction = Direction("x", reference, EN if code != "en" else ZH, find_language(code))
    for seed in range(20):
        assert spoil(Reference(direction), Random(seed)) is None


def test_two_mistakes_have_a_word_between_them() -> None:
    given = tools()
    for direction in directions():
        reference = Reference(direction, given.lexicon, given.samples[direction.target_language.code])
        for seed in range(10):
            draft = spoiling.spoil(reference, mistakes.MISTAKES, 3, Random(seed))
            if draft is not None:
                compared = difference(draft, direction.reference, direction.target_language)
                assert compared.apply(compared.edits) == direction.reference


def test_a_page_is_not_corrected_word_by_word() -> None:
    page = Direction("A word. " * 200, "一句话。" * 300, EN, ZH)
    for maker in (CorrectionMaker(), GrammarMaker(), ReplacementMaker()):
        assert make(maker, page, tools()) is None


def test_of_two_right_wordings_no_mixture_is_learnt() -> None:
    about = Direction("I lost my way in the woods.", "Ich verlief mich im Wald.", EN, find_language("de"))
    compared = difference("Ich habe mich im Wald verirrt.", about.reference, about.target_language)
    assert len(compared.edits) == 2
    for seed in range(30):
        turns = Critic(about, "en", taste=True).turns(compared, Random(seed))
        assert turns is not None
        assert [answer for _, answer in turns] == [about.reference]
    assert {len(Critic(about, "en").turns(compared, Random(seed)) or ()) for seed in range(30)} == {1, 2}
