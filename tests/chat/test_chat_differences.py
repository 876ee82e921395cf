from __future__ import annotations

import itertools
import random

import pytest

from bayling_lite.chat.differences import changes
from bayling_lite.chat.screens.changes import marked, styled
from bayling_lite.languages import find_language


def shown(before: str, after: str, language: str) -> str:
    return marked(changes(before, after, find_language(language)))


@pytest.mark.parametrize(
    ("language", "before", "after", "wanted"),
    [
        ("de", "Können Sie mich sehen?", "Kannst du mich sehen?", "[-Können Sie-]{+Kannst du+} mich sehen?"),
        ("en", "I don't mind.", "I do mind.", "I [-don't-]{+do+} mind."),
        ("en", "It costs 1,234.50 euros.", "It costs 1,234.60 euros.", "It costs [-1,234.50-]{+1,234.60+} euros."),
        ("en", "red, green", "blue, yellow", "[-red-]{+blue+}, [-green-]{+yellow+}"),
        ("zh", "请提交令牌。", "请提交词元。", "请提交[-令牌-]{+词元+}。"),
        # The 的 of two different phrases is not what they share.
        ("zh", "红的花，很美。", "白的草，很美。", "[-红的花-]{+白的草+}，很美。"),
        ("zh", "我用token。", "我用tokens。", "我用[-token-]{+tokens+}。"),
        ("ja", "これは本です", "あれは本です", "[-こ-]{+あ+}れは本です"),
        ("th", "ข้าวผัด", "ข้าวต้ม", "ข้าว[-ผัด-]{+ต้ม+}"),
        ("en", "🇩🇪 👩‍👩‍👧 e\u0301", "🇩🇰 👩‍👩‍👦 e\u0301", "[-🇩🇪 👩‍👩‍👧-]{+🇩🇰 👩‍👩‍👦+} e\u0301"),
        ("en", "a b", "a  b", "a[-·-]{+··+}b"),
        ("en", "a\nb", "a b", "a[-↵\n-]{+·+}b"),
        ("en", "", "new", "{+new+}"),
        ("en", "old", "", "[-old-]"),
        ("en", "", "", ""),
    ],
)
def test_whole_words_and_phrases_change(language: str, before: str, after: str, wanted: str) -> None:
    assert shown(before, after, language) == wanted


@pytest.mark.parametrize("alphabet", ["ab ", "的一是 ,", "ab的\u0301\u200d '1.,\n", "xyz我你他 "])
def test_both_versions_can_be_read_from_the_changes(alphabet: str) -> None:
    chance = random.Random(alphabet)
    for _ in range(400):
        before = "".join(chance.choices(alphabet, k=chance.randrange(40)))
        edited = list(before)
        for _ in range(chance.randrange(4)):
            place = chance.randrange(len(edited) + 1)
            edited[place : place + chance.randrange(3)] = chance.choice(alphabet)
        after = "".join(edited) if chance.random() < 0.7 else "".join(chance.choices(alphabet, k=20))
        found = changes(before, after)
        assert "".join(change.text for change in found if change.kind != "added") == before
        assert "".join(change.text for change in found if change.kind != "removed") == after
        kinds = [change.kind for change in found]
        pairs = set(itertools.pairwise(kinds))
        assert not pairs & {("kept", "kept"), ("removed", "removed"), ("added", "added"), ("added", "removed")}


def test_long_versions_are_aligned_throughout() -> None:
    chance = random.Random(7)
    words = [f"w{chance.randrange(500)}" for _ in range(10_000)]
    edited = ["changed" if number % 50 == 25 else word for number, word in enumerate(words)]
    found = changes(" ".join(words), " ".join(edited))
    changes("the " * 5_000, "of the " * 5_000)  # would take minutes if all were compared with all
    assert [change.text for change in found if change.kind == "added"] == ["changed"] * 200


def test_what_stays_is_cut_short_between_changes() -> None:
    kept = "so it was and so it is " * 20
    view = shown(f"one {kept}two {kept}three", f"uno {kept}due {kept}tre", "en")
    assert view.startswith("[-one-]{+uno+} so it was")
    assert view.endswith("[-three-]{+tre+}")
    assert "[-two-]{+due+}" in view
    assert view.count("…") == 2
    assert len(view) < 300
    assert shown(kept, kept, "en") == kept


def test_a_screen_with_colours_gets_styles_instead_of_signs() -> None:
    assert styled(changes("Guten Tag.", "Guten Morgen.")) == [
        ("", "Guten "),
        ("class:removed", "Tag"),
        ("", " "),
        ("class:added", "Morgen"),
        ("", "."),
    ]
    assert styled(changes("He left.", "He went"))[1:] == [
        ("class:removed", "left."),
        ("", " "),
        ("class:added", "went"),
    ]
    assert styled(changes("用令牌", "用词元")) == [("", "用"), ("class:removed", "令牌"), ("class:added", "词元")]
