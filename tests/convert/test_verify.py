"""What is measured under llama.cpp is what transformers computes, and quantizing costs little of it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import torch
from safetensors.torch import load_file, save_file

from bayling_convert import convert
from bayling_convert.proof.comparison import Divergence, Estimate
from bayling_convert.proof.measure import compare, similarity
from bayling_convert.proof.perplexity import Tokens, perplexity, tokenize
from bayling_convert.proof.scoring import Scorer, languages_of
from bayling_convert.verify import main, read_dialogues, report
from bayling_lite.chat_template import ChatTemplate
from bayling_lite.errors import ContextOverflow, InputError, ModelError, ModelNotFound, ModelUnreadable
from bayling_lite.messages import Conversation
from bayling_lite.prompts import BAYLING, BAYLING_3, Control, Text
from tests.convert.comparisons import made_up
from tests.convert.small_checkpoints import corpus, train_tokenizer

HALF_A_CHARACTER = '\n{"messages": [{"role": "user", "content": "\\ud800"}]}'
DIALOGUES = [
    Conversation().user("Read").assistant(corpus()[3]).user("Again").assistant(corpus()[110]),
    Conversation().user("写").assistant(corpus()[250]),
    Conversation().user("Text </s> text").assistant(""),
]


@pytest.fixture(scope="module")
def gguf(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "model.F32.gguf"
    convert(trained, path, "F32")
    return path


@pytest.fixture(scope="module")
def small(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("quantized") / "model.Q4_K_M.gguf"
    convert(trained, path, "Q4_K_M")
    return path


@pytest.fixture(scope="module")
def shaken(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of the same model with a little noise on its weights: what quantizing does, but torch can run it."""
    folder = tmp_path_factory.mktemp("shaken") / "shaken"
    folder.mkdir()
    for file in trained.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    torch.manual_seed(1)
    tensors = {
        name: tensor * (1 + 0.1 * torch.randn_like(tensor))
        for name, tensor in load_file(trained / "model.safetensors").items()
    }
    save_file(tensors, folder / "model.safetensors")
    return folder


@pytest.fixture
def dialogues_file(tmp_path: Path) -> Path:
    file = tmp_path / "dialogues.jsonl"
    lines = [json.dumps({"messages": dialogue.to_list()}, ensure_ascii=False) for dialogue in DIALOGUES]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def expected_tokens(dialogue: Conversation) -> tuple[list[int], list[bool]]:
    """The prompt's tokens by SentencePiece, and which are answers."""
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=train_tokenizer())
    ids: list[int] = []
    scored: list[bool] = []
    for part in BAYLING.render(dialogue):
        if isinstance(part, Text):
            more = tokenizer.encode(part.content)
            ids, scored = ids + more, scored + [part.response] * len(more)
        else:
            ids, scored = [*ids, 1 if part is Control.BOS else 2], [*scored, part is Control.EOS]
    return ids, scored


def test_what_is_scored(gguf: Path) -> None:
    with Scorer(gguf) as scorer:
        for dialogue in DIALOGUES:
            tokens = tokenize(scorer, BAYLING, dialogue)
            assert (list(tokens.ids), list(tokens.scored)) == expected_tokens(dialogue)


@torch.inference_mode()
def log_probabilities(checkpoint: Path) -> tuple[torch.Tensor, list[int]]:
    """Of every scored token's place: the log-probabilities by transformers, and the token that is there."""
    from transformers import LlamaForCausalLM

    model = LlamaForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()
    rows: list[torch.Tensor] = []
    targets: list[int] = []
    for dialogue in DIALOGUES:
        ids, scored = expected_tokens(dialogue)
        logs = model(torch.tensor([ids]), use_cache=False).logits[0].double().log_softmax(-1)
        places = [place for place in range(1, len(ids)) if scored[place]]
        rows += [logs[place - 1] for place in places]
        targets += [ids[place] for place in places]
    return torch.stack(rows), targets


def test_it_is_the_loss_of_transformers(gguf: Path, trained: Path) -> None:
    logs, targets = log_probabilities(trained)
    loss = -float(logs[range(len(targets)), targets].mean())
    assert perplexity(gguf, DIALOGUES) == pytest.approx(math.exp(loss), rel=1e-4)


def test_the_comparison_is_that_of_transformers(gguf: Path, trained: Path, shaken: Path, tmp_path: Path) -> None:
    other = tmp_path / "shaken.F32.gguf"
    convert(shaken, other, "F32")
    (p, targets), (q, _) = log_probabilities(trained), log_probabilities(shaken)
    here = range(len(targets))
    kl = torch.nn.functional.kl_div(q, p, log_target=True, reduction="none").sum(-1)
    ratios = (p - q)[here, targets]
    got = compare(gguf, other, DIALOGUES, n_translations=0)
    assert (got.n_dialogues, got.n_tokens, got.template, got.answers) == (3, len(targets), "bayling", ())
    assert got.divergence.mean.value == pytest.approx(float(kl.mean()), rel=1e-3)
    assert got.divergence.mean.error == pytest.approx(float(kl.std()) / len(targets) ** 0.5, rel=1e-3)
    quantiles = torch.tensor([0.5, 0.9, 0.99, 1.0], dtype=torch.float64)
    away = got.divergence
    assert [away.median, away.p90, away.p99, away.maximum] == pytest.approx(kl.quantile(quantiles).tolist(), rel=1e-3)
    assert sum(away.counts) == len(targets)
    assert got.ratio.value == pytest.approx(math.exp(float(ratios.mean())), rel=1e-4)
    assert got.ratio.error == pytest.approx(got.ratio.value * float(ratios.std()) / len(targets) ** 0.5, rel=1e-3)
    assert got.ratio.value == pytest.approx(got.quantized_perplexity.value / got.reference_perplexity.value)
    assert got.same_top.value == pytest.approx(float((p.argmax(-1) == q.argmax(-1)).double().mean()))


def test_a_file_does_not_differ_from_itself(gguf: Path) -> None:
    steps: list[tuple[int, int, str]] = []
    same = compare(gguf, gguf, DIALOGUES, n_translations=2, progress=lambda *step: steps.append(step))
    assert same.ratio == Estimate(1.0, 0.0)
    assert (same.divergence.mean, same.divergence.maximum) == (Estimate(0.0, 0.0), 0.0)
    assert same.same_top.value == 1.0
    assert (same.same_answers, same.similarity, same.different()) == (2, 1.0, [])
    assert [(done, total) for done, total, _ in steps] == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    assert [what for _, _, what in steps] == ["dialogues"] * 3 + ["translations"] * 2


def test_four_bits_cost_little(gguf: Path, small: Path) -> None:
    cost = compare(gguf, small, DIALOGUES)
    assert 0.9 < cost.ratio.value < 1.1
    assert 0 < cost.divergence.mean.value < 0.1
    assert cost.same_top.value > 0.8
    assert [pair.request for pair in cost.answers] == ["Read", "写", "Text </s> text"]
    assert cost.notes == ()


def test_another_tokenizer_is_another_model(gguf: Path, tmp_path: Path, shaken: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    for file in shaken.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "tokenizer.model").write_bytes(train_tokenizer(prefix=True))
    other = tmp_path / "other.gguf"
    convert(folder, other, "F16")
    with pytest.raises(ModelError, match="different tokenizers"):
        compare(gguf, other, DIALOGUES)
    with pytest.raises(ModelError, match=r"no token .*start_header_id"):
        compare(gguf, gguf, DIALOGUES, template=BAYLING_3)


def test_a_models_own_template(gguf: Path) -> None:
    own = ChatTemplate(
        "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{{ eos_token }}{% endfor %}"
        "{% if add_generation_prompt %}[assistant]{% endif %}"
    )
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=train_tokenizer())
    with Scorer(gguf) as scorer:
        tokens = tokenize(scorer, own, DIALOGUES[0])
    scored = [token for token, counts in zip(tokens.ids, tokens.scored, strict=True) if counts]
    assert scored == [*tokenizer.encode(corpus()[3]), 2, *tokenizer.encode(corpus()[110]), 2]
    assert compare(gguf, gguf, DIALOGUES, n_translations=1, template=own).notes == ()


def test_a_file_that_names_no_template_gets_a_note(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "silent"
    folder.mkdir()
    for file in trained.iterdir():
        if file.name != "bayling.json":
            (folder / file.name).write_bytes(file.read_bytes())
    silent = tmp_path / "silent.gguf"
    convert(folder, silent, "F16")
    assert "'bayling'" in compare(silent, silent, DIALOGUES, n_translations=0).notes[0]
    assert languages_of(silent) == ()


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("", "", 1), ("a", "", 0), ("kitten", "sitting", 1 - 3 / 7), ("abc", "abc", 1), ("abc", "xbc", 2 / 3)],
)
def test_similarity(first: str, second: str, expected: float) -> None:
    assert similarity(list(map(ord, first)), list(map(ord, second))) == pytest.approx(expected)


def test_only_the_places_before_scored_tokens_are_asked_for() -> None:
    tokens = Tokens((1, 5, 6, 7, 2), (False, False, True, True, False))
    assert tokens.before_scored.tolist() == [False, True, True, False, False]


def test_one_value_has_no_error() -> None:
    assert math.isnan(Estimate.of_mean(np.array([2.0])).error)
    text = report(replace(made_up(), divergence=Divergence.of(np.array([0.25]))))
    assert "0.25000  nats" in text
    values = json.loads(json.dumps(made_up(n_tokens=1).to_dict(), allow_nan=False))
    assert values["ratio"]["error"] is None


@pytest.mark.parametrize("width", [40, 60, 80])
def test_the_report_fits_the_terminal(width: int) -> None:
    lines = report(made_up(), width=width).splitlines()
    assert max(map(len, lines)) <= max(width, 52)  # the figures themselves need 52 columns
    assert not [line for line in lines if line.endswith((" of the answer", " nats; 0 is no"))]


def test_the_report_is_a_table_without_control_characters() -> None:
    text = report(replace(made_up("evil\x1b]0;x\x07.gguf"), notes=("A note.",)))
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80
    rows = text.splitlines()[3:14]
    for row, line in zip(made_up().rows(), rows, strict=True):
        assert (line.startswith(row.label), row.value in line) == (True, True)
    assert len({line.index(row.explanation) for row, line in zip(made_up().rows(), rows, strict=True)}) == 1
    assert "reference  Hallo du\nquantized  Hallo [31mSie" in text
    assert text.endswith("A note.")
    assert not set(report(made_up(), ascii_only=True)) & set("±█–")


def test_the_cost_of_quantizing_is_printed(
    gguf: Path, small: Path, dialogues_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(gguf), str(small), "--dialogues", str(dialogues_file)]
    picture = tmp_path / "cost.svg"
    assert main([*files, "--translations", "1", "--svg", str(picture)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("model.Q4_K_M.gguf against model.F32.gguf\n")
    assert "KL divergence, 99 %" in said.out
    assert said.err == ""
    assert picture.read_text(encoding="utf-8").startswith("<svg ")
    assert main([*files, "--translations", "0", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert 0.9 < values["ratio"]["value"] < 1.1
    assert values["similarity"] is None
    assert main([str(gguf), "--dialogues", str(dialogues_file)]) == 0
    assert capsys.readouterr().out.split()[1] == "model.F32.gguf"


@pytest.mark.slow
def test_without_dialogues_ours_are_taken(gguf: Path, small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert languages_of(gguf) == ("en", "zh", "de")
    assert main([str(gguf), str(small), "--translations", "2"]) == 0
    assert "in 60 dialogues" in capsys.readouterr().out


def test_bad_input(gguf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelNotFound):
        perplexity(tmp_path / "none.gguf", DIALOGUES)
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(gguf.read_bytes()[:5000])
    with pytest.raises(ModelUnreadable):
        perplexity(broken, DIALOGUES)
    with pytest.raises(ModelUnreadable):
        languages_of(broken)
    with pytest.raises(ModelNotFound):
        compare(gguf, tmp_path / "none.gguf", DIALOGUES)
    with pytest.raises(ContextOverflow):
        perplexity(gguf, DIALOGUES, n_ctx=32)
    with pytest.raises(ContextOverflow):
        compare(gguf, gguf, DIALOGUES, n_ctx=32)
    for measure in (perplexity, lambda path, dialogues: compare(path, path, dialogues, n_translations=0)):
        with pytest.raises(InputError, match="no answer"):
            measure(gguf, [Conversation().user("Hello")])
    file = tmp_path / "dialogues.jsonl"
    for text in (
        '{"messages": []}\n{"messages": 1}',
        '\n{"messages": [{"role": "nobody", "content": ""}]}',
        "\n[",
        HALF_A_CHARACTER,
    ):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="line 2"):
            read_dialogues(file)
    file.write_bytes(b"\xff")
    assert main([str(gguf), "--dialogues", str(file)]) == 1
    assert "UTF-8" in capsys.readouterr().err
    assert main([str(gguf), "--translations", "-1"]) == 2
