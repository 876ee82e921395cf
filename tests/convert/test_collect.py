"""Importance matrices as measured: what transformers computes, what llama-imatrix writes, and how it ends early."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from click.testing import CliRunner, Result
from gguf import GGUFReader

from bayling_convert import FileType, convert
from bayling_convert.importance import ggml_tensors
from bayling_convert.importance.calibration import calibration_dialogues
from bayling_convert.importance.collect import Amount, measure_dialogues, measure_text
from bayling_convert.importance.imatrix import Imatrix, read_imatrix
from bayling_convert.proof.perplexity import tokenize
from bayling_convert.proof.scoring import Scorer
from bayling_lite.cli.imatrix import imatrix
from bayling_lite.errors import EngineError, InputError, ModelError, ModelNotFound, OutputError, UsageError
from bayling_lite.messages import Conversation
from bayling_lite.prompts import BAYLING
from tests.convert.reference_quantizer import quantize, tensors
from tests.convert.small_checkpoints import corpus

TOOLS = Path(os.environ.get("LLAMA_CPP_TOOLS", "nowhere"))
needs_tools = pytest.mark.skipif(
    not (TOOLS / "llama-imatrix").exists(), reason="LLAMA_CPP_TOOLS names no folder with llama-imatrix"
)
ROOT = Path(__file__).parents[2]
TEXT = "\n".join(corpus())
DIALOGUES = [
    Conversation().user("Read").assistant(corpus()[3]).user("Again").assistant(corpus()[110]),
    Conversation().user("写").assistant(corpus()[250]),
]
PARTS = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


@pytest.fixture(scope="module")
def gguf(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("measured") / "model.F32.gguf"
    convert(trained, path, "F32")
    return path


@torch.inference_mode()
def by_transformers(checkpoint: Path, sequences: Sequence[Sequence[int]]) -> dict[str, npt.NDArray[np.float64]]:
    """Sums of squares of what enters every linear layer."""
    from transformers import LlamaForCausalLM

    model = LlamaForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()
    sums: dict[str, npt.NDArray[np.float64]] = {}

    def watch(name: str) -> Any:
        def add(_module: object, inputs: tuple[torch.Tensor, ...]) -> None:
            squares = inputs[0].double().square().reshape(-1, inputs[0].shape[-1]).sum(0).numpy()
            sums[name] = sums.get(name, 0.0) + squares

        return add

    for number, layer in enumerate(model.model.layers):
        for theirs, ours in PARTS.items():
            layer.get_submodule(theirs).register_forward_pre_hook(watch(f"blk.{number}.{ours}.weight"))
    for ids in sequences:
        model(torch.tensor([list(ids)]), use_cache=False)
    return sums


def assert_close(measured: Imatrix, expected: dict[str, npt.NDArray[np.float64]]) -> None:
    assert measured.values.keys() == expected.keys()
    for name, sums in expected.items():
        # llama.cpp keeps keys and values in half precision, so what comes behind attention differs a little.
        tolerance = 1e-5 if name == "blk.0.attn_q.weight" else 2e-2
        np.testing.assert_allclose(
            measured.values[name][0], sums, rtol=tolerance, atol=1e-3 * sums.mean(), err_msg=name
        )


@pytest.mark.slow
def test_text_is_measured_as_transformers_would(gguf: Path, trained: Path) -> None:
    with Scorer(gguf, n_ctx=16) as scorer:
        ids = [1, *scorer.tokenize(TEXT)]
    chunks = [[1, *ids[begin + 1 : begin + 64]] for begin in range(0, len(ids) // 64 * 64, 64)]
    measured = measure_text(gguf, TEXT, dataset="corpus", amount=Amount(64, 6))
    assert_close(measured, by_transformers(trained, chunks[:6]))
    assert {int(count[0]) for count in measured.counts.values()} == {6 * 64}
    assert (measured.datasets, measured.chunk_count, measured.chunk_size) == (("corpus",), 6, 64)
    everything = measure_text(gguf, TEXT, dataset="corpus", amount=Amount(64))
    assert everything.chunk_count == len(chunks) > 6


@pytest.mark.slow
def test_dialogues_are_measured_as_they_are_written_for_the_model(gguf: Path, trained: Path) -> None:
    with Scorer(gguf, n_ctx=16) as scorer:
        sequences = [tokenize(scorer, BAYLING, dialogue).ids for dialogue in DIALOGUES]
    seen: list[tuple[int, int]] = []
    measured = measure_dialogues(
        gguf, DIALOGUES, dataset="two", progress=lambda done, total: seen.append((done, total))
    )
    assert_close(measured, by_transformers(trained, sequences))
    total = sum(map(len, sequences))
    assert measured.counts["blk.1.ffn_down.weight"].tolist() == [total]
    assert seen == [(len(sequences[0]), total), (total, total)]


def test_long_dialogues_go_in_chunks(gguf: Path, trained: Path) -> None:
    with Scorer(gguf, n_ctx=16) as scorer:
        ids = tokenize(scorer, BAYLING, DIALOGUES[0]).ids
    pieces = [[1, *ids[begin + 1 : begin + 40]] for begin in range(0, len(ids), 40)]
    measured = measure_dialogues(gguf, DIALOGUES[:1], dataset="one", amount=Amount(40))
    assert_close(measured, by_transformers(trained, [piece for piece in pieces if len(piece) >= 16]))
    first = measure_dialogues(gguf, DIALOGUES, dataset="one", amount=Amount(40, 2))
    assert first.counts["blk.0.attn_q.weight"].tolist() == [80]


def test_a_sequence_longer_than_a_batch_is_one_sequence(
    gguf: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bayling_convert.importance.collect.BATCH", 48)
    with Scorer(gguf, n_ctx=16) as scorer:
        ids = [1, *scorer.tokenize(TEXT)]
    measured = measure_text(gguf, TEXT, dataset="corpus", amount=Amount(96, 2))
    assert_close(measured, by_transformers(trained, [[1, *ids[at + 1 : at + 96]] for at in (0, 96)]))


def test_too_little_to_measure(gguf: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--n-ctx"):
        measure_text(gguf, "short", dataset="x")
    with pytest.raises(InputError, match="no dialogue"):
        measure_dialogues(gguf, [], dataset="x")
    with pytest.raises(UsageError):
        Amount(15)
    with pytest.raises(UsageError):
        Amount(512, 0)
    with pytest.raises(ModelNotFound):
        measure_dialogues(tmp_path / "none.gguf", DIALOGUES, dataset="x")


def test_a_model_that_computes_no_numbers(gguf: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(gguf.read_bytes())
    with np.errstate(all="ignore"):
        norm = next(tensor for tensor in GGUFReader(path, "r+").tensors if tensor.name == "blk.1.attn_norm.weight")
        norm.data[3] = np.inf
    with pytest.raises(EngineError, match=r"blk\.1\.attn_"):
        measure_dialogues(path, DIALOGUES, dataset="x")


def test_what_goes_wrong_inside_llama_cpp_is_raised_here(
    gguf: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    seen = []

    def fail(_reader: object, tensor: ggml_tensors.Tensor) -> Any:
        seen.append(tensor.name)
        raise MemoryError("no room")

    monkeypatch.setattr(ggml_tensors.TensorReader, "rows", fail)
    with pytest.raises(MemoryError, match="no room"):
        measure_dialogues(gguf, DIALOGUES, dataset="x")
    assert len(seen) == 1  # nothing was computed after it
    assert capfd.readouterr() == ("", "")


def test_an_error_of_the_caller_ends_it(gguf: Path) -> None:
    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_dialogues(gguf, DIALOGUES, dataset="x", progress=stop)
    assert measure_dialogues(gguf, DIALOGUES, dataset="x").chunk_count == 0  # and another one works


@pytest.fixture
def fresh_reader() -> Iterator[None]:
    ggml_tensors.tensor_reader.cache_clear()
    yield
    ggml_tensors.tensor_reader.cache_clear()


@pytest.mark.usefixtures("fresh_reader")
@pytest.mark.parametrize("change", ["one field more", "one field less", "another order"])
def test_another_layout_of_tensors_is_noticed(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = list(ggml_tensors.Tensor._fields_)
    at = [name for name, *_ in fields].index("flags")
    if change == "one field more":
        fields.insert(at, ("more", ctypes.c_int64))
    elif change == "one field less":
        del fields[at]
        del fields[at - 1]
    else:
        fields[at + 1 : at + 3] = [fields[at + 2], fields[at + 1]]
    other = type("Tensor", (ctypes.Structure,), {"_fields_": fields})
    monkeypatch.setattr(ggml_tensors, "Tensor", other)
    with pytest.raises(ModelError, match="llama-imatrix"):
        ggml_tensors.tensor_reader()


def run(*arguments: object) -> Result:
    return CliRunner().invoke(imatrix, list(map(str, arguments)))


def test_the_command(gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(gguf, "--chunks", 1, "--n-ctx", 64)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith(
        "Wrote model.F32.imatrix.gguf: importances of 14 weights, from 64 tokens of bayling "
    )
    assert "(en, zh, de)" in result.stderr  # the languages the model says it speaks
    text, dialogues = tmp_path / "text.txt", tmp_path / "dialogues.jsonl"
    text.write_bytes(b"\xef\xbb\xbf" + TEXT.encode() + b"\n")
    lines = (json.dumps({"messages": dialogue.to_list()}, ensure_ascii=False) for dialogue in DIALOGUES)
    dialogues.write_text("\n".join(lines), encoding="utf-8")
    assert run(gguf, "-o", "a.gguf", "--text", text, "--n-ctx", 64, "--chunks", 3, "-q").stderr == ""
    ours = measure_text(gguf, TEXT, dataset="text.txt", amount=Amount(64, 3))
    assert read_imatrix(tmp_path / "a.gguf").digest == ours.digest
    assert isinstance(run(gguf, "-o", "a.gguf", "--dialogues", dialogues).exception, OutputError)
    assert run(gguf, "-o", "a.gguf", "--dialogues", dialogues, "--force").exit_code == 0
    assert read_imatrix(tmp_path / "a.gguf").datasets == ("dialogues.jsonl",)


def test_slips_of_the_command(gguf: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_bytes(b"\xff\xfe")
    assert run(gguf, "--text", text, "--dialogues", text).exit_code == 2
    assert run(gguf, "--chunks", 0).exit_code == 2
    assert isinstance(run(gguf, "-o", tmp_path / "x", "--text", text).exception, InputError)
    assert isinstance(run(text, "-o", tmp_path / "x").exception, ModelError)
    assert isinstance(run(gguf, "-o", tmp_path / "none" / "x.gguf").exception, OutputError)
    assert not list(tmp_path.glob("x*"))


@pytest.mark.slow
def test_control_c_ends_it_at_once_and_writes_nothing(gguf: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text(TEXT * 300, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'convert'}"}
    command = [sys.executable, "-c", "from bayling_lite.cli import main; main()", "imatrix", str(gguf)]
    command += ["--text", str(text), "-o", "x.gguf", "--n-ctx", "256"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    for _ in range(600):  # until llama.cpp is loaded, and then a little into its work
        if "libllama" in Path(f"/proc/{process.pid}/maps").read_text():
            break
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, shown = process.communicate(timeout=20)
    assert (process.returncode, shown.strip()) == (130, "Interrupted.")
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]


@needs_tools
@pytest.mark.parametrize("n_ctx", [64, 128])
def test_it_is_what_llama_imatrix_writes(n_ctx: int, gguf: Path, tmp_path: Path) -> None:
    text, theirs = tmp_path / "text.txt", tmp_path / "theirs.gguf"
    text.write_text(TEXT, encoding="utf-8")
    tool = [
        TOOLS / "llama-imatrix",
        "-m",
        gguf,
        "-f",
        text,
        "-c",
        n_ctx,
        "-b",
        n_ctx,
        "-o",
        theirs,
        "-t",
        2,
        "--no-ppl",
    ]
    subprocess.run(list(map(str, tool)), check=True, capture_output=True)
    expected = read_imatrix(theirs)
    measured = measure_text(gguf, TEXT, dataset=str(text), amount=Amount(n_ctx))
    assert (measured.datasets, measured.chunk_count) == (expected.datasets, expected.chunk_count)
    assert measured.values.keys() == expected.values.keys()
    for name, sums in measured.values.items():
        assert (measured.counts[name] == expected.counts[name]).all()
        np.testing.assert_allclose(sums, expected.values[name], rtol=1e-4, err_msg=name)  # they sum in single precision
    again = tmp_path / "again.gguf"
    expected.write(again)
    assert again.read_bytes() == theirs.read_bytes()


@needs_tools
@pytest.mark.parametrize("form", ["gguf", "dat"])
def test_llama_quantize_and_we_take_each_other_s_files(form: str, gguf: Path, tmp_path: Path) -> None:
    measured, path = tmp_path / "ours.gguf", tmp_path / f"file.{form}"
    measure_dialogues(gguf, calibration_dialogues((), 5), dataset="x").write(measured)
    combine = [TOOLS / "llama-imatrix", "-m", gguf, "--in-file", measured, "-o", path, "--output-format", form]
    subprocess.run(list(map(str, combine)), check=True, capture_output=True)
    for source in (measured, path) if form == "gguf" else (path,):
        theirs = tmp_path / "theirs.gguf"
        command = [TOOLS / "llama-quantize", "--imatrix", source, gguf, theirs, "Q4_0", 2]
        subprocess.run(list(map(str, command)), check=True, capture_output=True)
        matrix = read_imatrix(source)
        columns = {name: values.shape[1] for name, values in matrix.values.items()}
        importances = {name: matrix.importance(name, n_columns) for name, n_columns in columns.items()}
        quantize(gguf, tmp_path / "ours.q.gguf", FileType.Q4_0, {k: v for k, v in importances.items() if v is not None})
        assert tensors(tmp_path / "ours.q.gguf") == tensors(theirs)
