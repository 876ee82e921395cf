"""A checkpoint is converted while it comes: right, one file of it on the disk at a time, and resumed when killed."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import torch
from gguf import GGUFReader
from safetensors.torch import save

from bayling_convert import Step, convert
from bayling_lite.errors import CheckpointError, ChecksumMismatch
from bayling_lite.hub import Hub, HubCheckpoint
from benchmarks.loopback_hub import Fault, LoopbackHub
from tests.convert.small_checkpoints import CONFIG, random_tensors, train_tokenizer
from tests.hub.conftest import QUICK, MakeHub

ROOT = Path(__file__).parents[2]
REPOSITORY = "owner/model"
N_SHARDS = 5
TYPE = "Q8_0"
"""Quick to quantize."""
HEADER = 1_100_000
"""Bytes that reading a header may take: it is not known how long it is."""


@pytest.fixture
def hub(make_hub: MakeHub) -> Hub:
    """A client that takes a shard in a few parts."""
    return make_hub(patience=replace(QUICK, part=1024 * 1024))


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """A checkpoint in several shards."""
    config: dict[str, Any] = CONFIG | {"num_hidden_layers": 5}
    tensors = list(random_tensors(config).items())
    size = -(-len(tensors) // N_SHARDS)
    weight_map: dict[str, str] = {}
    made: dict[str, bytes] = {}
    for number in range(N_SHARDS):
        name, shard = f"model-{number + 1:05}-of-{N_SHARDS:05}.safetensors", tensors[number * size :][:size]
        weight_map |= dict.fromkeys([tensor for tensor, _ in shard], name)
        made[name] = save(dict(shard))
    return made | {
        "config.json": json.dumps(config).encode(),
        "tokenizer.model": train_tokenizer(),
        "model.safetensors.index.json": json.dumps({"weight_map": weight_map}).encode(),
    }


@pytest.fixture
def expected(files: dict[str, bytes], tmp_path: Path) -> list[tuple[str, str, bytes]]:
    """The tensors of the same checkpoint converted from a folder."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    convert(folder, tmp_path / "expected.gguf", TYPE)
    return tensors(tmp_path / "expected.gguf")


def tensors(path: Path) -> list[tuple[str, str, bytes]]:
    return [(t.name, t.tensor_type.name, t.data.tobytes()) for t in GGUFReader(path).tensors]


def on_disk(folder: Path) -> int:
    """Bytes that the files below a folder take up."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def test_one_file_at_a_time(
    server: LoopbackHub, hub: Hub, files: dict[str, bytes], expected: list[Any], tmp_path: Path
) -> None:
    commit = server.add(REPOSITORY, files)
    place = tmp_path / "place"
    place.mkdir()
    largest = 0

    def look(*_told: object) -> None:
        nonlocal largest
        largest = max(largest, on_disk(place))

    checkpoint = HubCheckpoint(hub.repository(REPOSITORY), place / "work", progress=look)
    done = convert(checkpoint, place / "out.gguf", TYPE, progress=look)
    assert tensors(done.path) == expected
    assert done.provenance.url is not None
    assert commit in done.provenance.url
    assert sorted(path.name for path in place.rglob("*") if path.is_file()) == ["out.gguf"]
    shard = max(len(content) for content in files.values())
    assert largest < done.n_bytes + shard + 64 * 1024
    # Every file came once; of the weights, their headers besides.
    assert sum(server.sent.values()) < sum(map(len, files.values())) + N_SHARDS * HEADER


@pytest.mark.slow
def test_kept_in_the_shared_cache(
    server: LoopbackHub, hub: Hub, files: dict[str, bytes], expected: list[Any], tmp_path: Path
) -> None:
    server.add(REPOSITORY, files)
    convert(HubCheckpoint(hub.repository(REPOSITORY), tmp_path / "work", keep=True), tmp_path / "out.gguf", TYPE)
    sent = sum(server.sent.values())
    again = HubCheckpoint(hub.repository(REPOSITORY), tmp_path / "work")
    convert(again, tmp_path / "out.gguf", TYPE, overwrite=True)
    weights = sum(len(content) for name, content in files.items() if name.endswith(".safetensors"))
    assert sum(server.sent.values()) - sent < weights / 10
    assert tensors(tmp_path / "out.gguf") == expected


def test_a_flipped_bit_is_refused_and_fetched_again(
    server: LoopbackHub, hub: Hub, files: dict[str, bytes], expected: list[Any], tmp_path: Path
) -> None:
    server.add(REPOSITORY, files)
    shard = f"model-00003-of-{N_SHARDS:05}.safetensors"
    checkpoint = HubCheckpoint(hub.repository(REPOSITORY), tmp_path / "work")
    # Its header comes alone, before the whole: what is read beyond the beginning is the whole.
    server.fault = lambda name, start, _end: Fault("flip") if name == shard and start > 0 else None
    with pytest.raises(ChecksumMismatch):
        convert(checkpoint, tmp_path / "out.gguf", TYPE)
    assert not (tmp_path / "out.gguf").exists()
    server.fault = lambda *_: None
    before = dict(server.sent)
    convert(checkpoint, tmp_path / "out.gguf", TYPE)
    assert tensors(tmp_path / "out.gguf") == expected
    # Those before it were not fetched again.
    for done in ("model-00001-of-00005.safetensors", "model-00002-of-00005.safetensors"):
        assert server.sent[done] - before[done] < HEADER


@pytest.mark.slow
def test_a_flipped_bit_in_a_header_is_found(
    server: LoopbackHub, hub: Hub, files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A header is read before there is a digest to compare with."""
    name = f"model-00003-of-{N_SHARDS:05}.safetensors"
    server.add(REPOSITORY, files)
    checkpoint = HubCheckpoint(hub.repository(REPOSITORY), tmp_path / "work")
    whole = checkpoint.open

    def lying(asked: str) -> BinaryIO:
        if asked != name:
            return whole(asked)
        with whole(asked) as file:
            return io.BytesIO(swapped(file.read()))

    def swapped(content: bytes) -> bytes:
        """Two names of tensors that have the same shape, one in the other's place."""
        return content.replace(b"k_proj", b"x_proj").replace(b"v_proj", b"k_proj").replace(b"x_proj", b"v_proj")

    monkeypatch.setattr(checkpoint, "open", lying)
    with pytest.raises(CheckpointError, match="not what its header said"):
        convert(checkpoint, tmp_path / "out.gguf", TYPE)
    assert not (tmp_path / "out.gguf").exists()


@pytest.mark.slow
def test_another_type_is_another_job(server: LoopbackHub, hub: Hub, files: dict[str, bytes], tmp_path: Path) -> None:
    server.add(REPOSITORY, files)
    checkpoint = HubCheckpoint(hub.repository(REPOSITORY), tmp_path / "work")

    def interrupt(step: Step) -> None:
        if step.done > step.total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(checkpoint, tmp_path / "out.gguf", TYPE, progress=interrupt)
    assert (tmp_path / ".out.gguf.part").exists()
    convert(checkpoint, tmp_path / "out.gguf", "F16")
    convert(checkpoint, tmp_path / "fresh.gguf", "F16")
    assert (tmp_path / "out.gguf").read_bytes() == (tmp_path / "fresh.gguf").read_bytes()
    assert not (tmp_path / ".out.gguf.part").exists()


@pytest.mark.slow
def test_another_adapter_is_another_job(server: LoopbackHub, hub: Hub, files: dict[str, bytes], tmp_path: Path) -> None:
    """Its matrices are the same, its scale is not."""
    server.add(REPOSITORY, files)
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    matrices = {
        f"base_model.model.model.layers.{layer}.self_attn.v_proj.lora_{side}.weight": torch.ones(shape) / 10
        for layer in range(5)
        for side, shape in (("A", (1, 256)), ("B", (128, 1)))
    }
    (adapter / "adapter_model.safetensors").write_bytes(save(matrices))

    def adapted(name: str, *, alpha: int, until: float = 2.0) -> bytes:
        (adapter / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 1, "lora_alpha": alpha}))

        def interrupt(step: Step) -> None:
            if step.done > until * step.total:
                raise KeyboardInterrupt

        base = HubCheckpoint(hub.repository(REPOSITORY), tmp_path / "work", keep=True)
        return convert(adapter, tmp_path / name, TYPE, base=base, progress=interrupt).path.read_bytes()

    with pytest.raises(KeyboardInterrupt):
        adapted("out.gguf", alpha=1, until=0.8)
    assert adapted("out.gguf", alpha=9) == adapted("fresh.gguf", alpha=9)


@pytest.mark.slow
def test_killed_again_and_again(files: dict[str, bytes], expected: list[Any], tmp_path: Path) -> None:
    """SIGKILL at instants drawn by chance: the file is right in the end, and never there before."""
    chance = random.Random(4)
    place = tmp_path / "place"
    place.mkdir()
    code = "from bayling_lite.cli import main; main()"
    output = place / "out.gguf"
    with LoopbackHub(rate=2_000_000) as server:
        server.add(REPOSITORY, files)
        environment = os.environ | {
            "HF_ENDPOINT": server.endpoint,
            "HF_HUB_OFFLINE": "0",
            "HF_HOME": str(tmp_path / "home"),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'convert'}",
        }
        command = [
            sys.executable,
            "-c",
            code,
            "convert",
            f"hf://{REPOSITORY}",
            "-o",
            str(output),
            "--no-card",
            "--type",
            TYPE,
        ]
        for _ in range(6):
            process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
            before = sum(server.sent.values())
            while process.poll() is None and sum(server.sent.values()) == before:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 1.2))
            assert not output.exists() or process.poll() == 0
            process.send_signal(signal.SIGKILL)
            process.communicate()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0 or "exists already" in done.stderr, done.stderr
        weights = sum(len(content) for name, content in files.items() if name.endswith(".safetensors"))
        # Nothing that was there is fetched twice: but for headers, and what was on its way when the process was killed.
        assert sum(server.sent.values()) < weights + 7 * (N_SHARDS * HEADER + 1_000_000)
    assert tensors(output) == expected
    assert sorted(path.name for path in place.iterdir()) == ["out.gguf"]


def test_what_failed_before_anything_was_done_leaves_nothing(
    server: LoopbackHub, hub: Hub, files: dict[str, bytes], tmp_path: Path
) -> None:
    server.add(REPOSITORY, files)
    checkpoint = HubCheckpoint(hub.repository(REPOSITORY), tmp_path / "work")
    server.fault = lambda name, start, _end: Fault("flip") if name.endswith(".safetensors") and start > 0 else None
    place = tmp_path / "place"
    place.mkdir()
    with pytest.raises(ChecksumMismatch):
        convert(checkpoint, place / "out.gguf")
    assert list(place.iterdir()) == []
