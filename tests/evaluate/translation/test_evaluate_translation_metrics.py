"""BLEU and chrF++ are sacreBLEU's, with the tokenizer of the language; statistics, intervals and what is missing."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import sacrebleu
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.tokenizers import tokenizer_ja_mecab, tokenizer_ko_mecab

from bayling_lite.errors import UsageError
from bayling_lite.evaluate.translation.metrics import check_tokenizer, corpus_score, score_lines
from bayling_lite.languages import find_language
from tests.evaluate.translation.translated_sets import GERMAN, ROUGH

GERMAN_LANGUAGE = find_language("de")


def test_scores_are_those_of_sacrebleu() -> None:
    scored = score_lines(ROUGH, [GERMAN], GERMAN_LANGUAGE)
    bleu, chrf = scored.scores
    assert (bleu.metric, chrf.metric) == ("BLEU", "chrF++")
    assert bleu.value == pytest.approx(BLEU().corpus_score(ROUGH, [GERMAN]).score, abs=1e-9)
    assert chrf.value == pytest.approx(CHRF(word_order=2).corpus_score(ROUGH, [GERMAN]).score, abs=1e-9)


def test_several_references_are_all_looked_at() -> None:
    others = [ROUGH[0], *GERMAN[1:]]
    one, two = (score_lines(ROUGH, references, GERMAN_LANGUAGE) for references in ([GERMAN], [GERMAN, others]))
    assert two.scores[0].value > one.scores[0].value
    assert two.scores[0].value == pytest.approx(BLEU().corpus_score(ROUGH, [GERMAN, others]).score, abs=1e-9)
    assert two.scores[0].signature.startswith("nrefs:2|")
    assert two.qualities[0] == 1.0


def test_a_signature_says_all_that_makes_the_score() -> None:
    bleu, chrf = score_lines(ROUGH, [GERMAN], GERMAN_LANGUAGE).scores
    version = sacrebleu.__version__
    assert bleu.signature == f"nrefs:1|bs:1000|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp|version:{version}"
    assert chrf.signature == f"nrefs:1|bs:1000|seed:12345|case:mixed|eff:yes|nc:6|nw:2|space:no|version:{version}"


@pytest.mark.parametrize(
    ("code", "tokenizer"), [("de", "tok:13a"), ("zh", "tok:zh"), ("ja", "tok:ja-mecab-"), ("th", "tok:char")]
)
def test_each_language_has_its_tokenizer(code: str, tokenizer: str) -> None:
    lines = ["早上好。", "天气很好。"]
    bleu, _ = score_lines(lines, [lines], find_language(code)).scores
    assert f"|{tokenizer}" in bleu.signature


def test_another_tokenizer_can_be_named() -> None:
    bleu, _ = score_lines(ROUGH, [GERMAN], GERMAN_LANGUAGE, tokenizer="intl").scores
    assert "|tok:intl|" in bleu.signature
    with pytest.raises(UsageError, match=r"no tokenizer 'words'.*13a"):
        check_tokenizer("words")
    check_tokenizer("")


@pytest.mark.parametrize("hypotheses", [ROUGH, GERMAN, [""] * len(GERMAN)], ids=["rough", "perfect", "empty"])
def test_sums_of_the_statistics_make_the_scores(hypotheses: list[str]) -> None:
    scored = score_lines(hypotheses, [GERMAN], GERMAN_LANGUAGE)
    for score in scored.scores:
        sums = np.array([row[score.metric] for row in scored.statistics]).sum(0).tolist()
        assert corpus_score(score.metric, sums, len(GERMAN)) == pytest.approx(score.value)
    assert all(isinstance(number, int) for row in scored.statistics for kind in row.values() for number in kind)


def test_the_quality_of_a_sentence_is_its_chrf() -> None:
    scored = score_lines(ROUGH, [GERMAN], GERMAN_LANGUAGE)
    metric = CHRF(word_order=2)
    expected = [metric.sentence_score(line, [right]).score / 100 for line, right in zip(ROUGH, GERMAN, strict=True)]
    assert scored.qualities == pytest.approx(expected)
    assert scored.qualities[-1] == 0.0


@pytest.mark.parametrize("metric", [BLEU(), CHRF(word_order=2)], ids=["BLEU", "chrF++"])
def test_intervals_are_those_of_sacrebleu(metric: BLEU | CHRF, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SACREBLEU_SEED", raising=False)
    hypotheses, references = ROUGH * 10, GERMAN * 10
    theirs = metric.corpus_score(hypotheses, [references], n_bootstrap=1000)
    ours = score_lines(hypotheses, [references], GERMAN_LANGUAGE).scores[isinstance(metric, CHRF)]
    assert ours.low is not None
    assert ours.high is not None
    assert (ours.high - ours.low) / 2 == pytest.approx(theirs._ci, abs=1e-4)
    assert ours.low < ours.value < ours.high


@pytest.mark.parametrize(
    ("module", "code", "command"),
    [
        (tokenizer_ja_mecab, "ja", r"pip install 'bayling-lite\[evaluate\]'"),
        (tokenizer_ko_mecab, "ko", r"pip install 'sacrebleu\[ko\]'"),
    ],
)
def test_a_missing_tokenizer_names_the_command_that_installs_it(
    module: object, code: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MeCab", "mecab_ko"):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, None)
    with pytest.raises(UsageError, match=command):
        score_lines(["a"], [["a"]], find_language(code))


def test_a_missing_sacrebleu_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(UsageError, match=r"pip install 'bayling-lite\[evaluate\]'"):
        score_lines(["a"], [["a"]], GERMAN_LANGUAGE)
