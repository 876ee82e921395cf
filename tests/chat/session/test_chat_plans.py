"""What commands on the draft ask for, and what is in force for every line."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Kind
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import UsageError
from bayling_lite.localization import use_language
from tests.chat.session.conversing import DE, EN, ZH, Log, asked, drafting, run, text_of


def test_a_draft_is_translated_back_without_changing_it() -> None:
    session, engine = drafting("Guten Morgen.", "Good morning!")
    run(session, "Good morning, everybody.")
    plan = session.plan_back()
    assert (plan.source, plan.target) == (DE, EN)
    assert run(session, plan).answer == "Good morning!"
    assert asked(engine) == ["Provide the English translation for this sentence: Guten Morgen."]
    assert text_of(session) == "Guten Morgen."


def test_a_draft_in_the_language_of_its_text_is_not_translated_back() -> None:
    session = Session(ScriptedEngine(), Preferences(ZH))
    run(session, "42")
    with pytest.raises(UsageError, match="translated back"):
        session.plan_back()


@pytest.mark.parametrize(
    ("language", "question", "wording"),
    [
        ("en", "", "Explain in English"),
        ("en", "Why so?", "Answer in English, briefly, about your translation: Why so?"),
        ("zh", "", "请用中文"),
        ("zh", "为什么？", "请用中文简要回答关于你的译文的问题：为什么？"),
    ],
)
def test_an_explanation_goes_on_with_the_drafts_own_conversation(language: str, question: str, wording: str) -> None:
    session, engine = drafting("Guten Morgen.", "Because.", "Morgen.")
    run(session, "Good morning.")
    use_language(language)
    try:
        run(session, session.plan_explanation(question))
    finally:
        use_language(None)
    assert asked(engine)[:2] == ["Provide the German translation for this sentence: Good morning.", "Guten Morgen."]
    assert asked(engine)[2].startswith(wording)
    run(session, "shorter")
    assert asked(engine)[1:] == ["Guten Morgen.", "shorter"]


def test_an_edited_draft_is_what_the_model_said() -> None:
    session, engine = drafting("Guten Tag.", "Guten Morgen!")
    run(session, "Good morning.")
    turn = run(session, session.plan_edit("Guten Morgen."))
    assert (turn.plan.kind, text_of(session), len(engine.requests)) == (Kind.EDIT, "Guten Morgen.", 1)
    run(session, "more formal")
    assert asked(engine)[1:] == ["Guten Morgen.", "more formal"]
    with pytest.raises(UsageError, match="cannot be empty"):
        session.plan_edit("  ")
    with pytest.raises(UsageError, match="as it is"):
        session.plan_edit(" Guten Morgen!")


def test_a_shorter_draft_is_one_that_is() -> None:
    long, short = "Das Haus dort drüben ist wirklich sehr groß.", "Das Haus drüben ist sehr groß."
    session, engine = drafting(long, short, long)
    run(session, "The house over there is really very big.")
    turn = run(session, session.plan_shorter())
    assert (turn.plan.kind, turn.plan.length, turn.answer) == (Kind.REFINEMENT, "shorter", short)
    assert asked(engine)[1:] == [long, "Make it shorter."]
    assert run(session, session.plan_longer()).answer == long
    assert asked(engine)[-1] == "Make it longer."


def test_a_draft_that_could_not_become_shorter_is_no_new_turn() -> None:
    log = Log()
    engine = ScriptedEngine(["Es ist groß."])
    session = Session(engine, Preferences(DE), recorder=log)
    first = run(session, "It is big.")
    engine.enqueue(*["Es ist wirklich sehr groß."] * 9)
    turn = run(session, session.plan_shorter())
    assert turn.draft is not None
    assert turn.draft.unchanged
    assert (session.turns, text_of(session)) == ((first,), "Es ist groß.")
    assert list(log.of("failed")) == [(turn.id, "unchanged")]


def test_a_command_without_a_draft_says_so() -> None:
    session, _ = drafting()
    for plan in (session.plan_shorter, session.plan_longer, session.plan_back, session.plan_explanation):
        with pytest.raises(UsageError, match="no draft"):
            plan()
    for plan_of in (session.plan_style, session.plan_edit):
        with pytest.raises(UsageError, match="no draft"):
            plan_of("x")


@pytest.mark.parametrize(
    ("named", "glossary", "in_force"),
    [
        ("token", ("Token",), {"token": "named"}),
        ("token", ("TOKEN", "Token", "word"), {"token": "named", "word": "glossary"}),
        # A glossary that tells them apart knows why, and so does a user who names both.
        ("polish", ("Polish", "polish"), {"polish": "named", "Polish": "glossary"}),
        ("Polish polish", ("POLISH",), {"polish": "named", "Polish": "named"}),
    ],
)
def test_a_term_that_the_user_named_goes_before_a_glossary_in_any_case(
    named: str, glossary: tuple[str, ...], in_force: dict[str, str]
) -> None:
    preferences = Preferences(
        terms=tuple((word, "named") for word in named.split()),
        glossary_terms=tuple((word, "glossary") for word in glossary),
    )
    assert dict(preferences.terms_in_force) == in_force


def test_terms_in_force_are_required_in_translations_and_refinements() -> None:
    session, engine = drafting("它是单位。", "它是单位！", "标记是单位。", "单位。", target="zh")
    session.prefer(terms=(("token", "词元"),), glossary_terms=(("token", "令牌"), ("word", "单词")))
    assert session.preferences.terms_in_force == (("token", "词元"), ("word", "单词"))
    turn = run(session, "A token is a unit.")
    assert asked(engine)[0].endswith("Make sure to include these words: 词元")
    assert turn.draft is not None
    assert turn.draft.missing_terms == (("token", "词元"),)
    turn = run(session, "more formal")
    assert turn.draft is not None
    assert turn.draft.missing_terms == (("token", "词元"),)
    turn = run(session, "把词元改成标记")  # says that the term's word is wrong here
    assert turn.draft is not None
    assert (turn.draft.missing_terms, turn.draft.missing_words) == ((), ())
    session.prefer(terms=())
    turn = run(session, "shorter")
    assert turn.draft is not None
    assert turn.draft.terms == (("token", "令牌"), ("word", "单词"))


@pytest.mark.parametrize("asked_again", [False, True])
def test_a_word_that_was_called_wrong_stays_so_when_the_versions_are_left_out(asked_again: bool) -> None:
    answers = ["词元是单位。", "标记是单位。", *(["词元是单位。"] if asked_again else []), "单位。"]
    session, engine = drafting(*answers, target="zh")
    session.prefer(terms=(("token", "词元"),))
    run(session, "A token is a unit.")
    run(session, "把词元改成标记")
    if asked_again:
        run(session, "请使用“词元”")
    session.leave_out(1)
    turn = run(session, "more formal")
    assert asked(engine)[1:] == [answers[-2], "more formal"]
    assert turn.draft is not None
    assert turn.draft.missing_terms == ((("token", "词元"),) if asked_again else ())


def test_formality_style_and_context_are_said_before_a_text_and_not_to_a_model_too_small() -> None:
    said = []
    for demonstrator in (False, True):
        info = ModelInfo("m", "bayling", n_ctx=4096, demonstrator=demonstrator)
        session, engine = drafting("Guten Morgen.", info=info)
        session.prefer(formality="formal", style="plain", context="a letter")
        run(session, "Good morning.")
        said.append(asked(engine)[0])
    assert said[0].splitlines()[:2] == ["About the text: a letter", "Style of the translation: plain"]
    assert said[1] == "Provide the German translation for this sentence: Good morning."


def test_planning_changes_nothing_and_asks_nothing() -> None:
    session, engine = drafting("Eins.", "Zwei.")
    run(session, "One.")
    before = session.turns, session.position, len(engine.requests)
    for plan in (
        session.plan("shorter"),
        session.plan_new("Two."),
        session.plan_refinement("shorter"),
        session.plan_again(),
        session.plan_shorter(),
        session.plan_edit("Zwei."),
        session.plan_back(),
        session.plan_explanation("Why?"),
    ):
        session.room(plan)
    assert (session.turns, session.position, len(engine.requests)) == before


def test_importing_the_session_is_cheap() -> None:
    heavy = (
        "bayling_lite.translate",
        "bayling_lite.chat.reading",
        "py3langid",
        "numpy",
        "sqlite3",
        "prompt_toolkit",
        "asyncio",
    )
    code = (
        "import sys, bayling_lite.chat.session.session as s\n"
        "s.Session(None).plan('Hi')\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
