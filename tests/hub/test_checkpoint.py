"""A checkpoint on the hub beside the same one in a folder: what reads the one reads the other."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bayling_convert.reading.files import CheckpointFiles, Folder
from bayling_lite.errors import CheckpointError, ChecksumMismatch, HubError
from bayling_lite.hub import Hub, HubCheckpoint
from benchmarks.loopback_hub import Fault, LoopbackHub

SHARD = random.Random(11).randbytes(300_000)
FILES = {"config.json": b"{}", "model.safetensors": SHARD, "original/consolidated.pth": b"x" * 20_000}


@pytest.fixture
def checkpoint(server: LoopbackHub, hub: Hub, tmp_path: Path) -> HubCheckpoint:
    server.add("owner/name-7b", FILES)
    return HubCheckpoint(hub.repository("owner/name-7b"), tmp_path / "work")


def test_it_is_what_the_converter_reads(server: LoopbackHub, checkpoint: HubCheckpoint, tmp_path: Path) -> None:
    (tmp_path / "name-7b").mkdir()
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "name-7b" / name).write_bytes(FILES[name])
    here: CheckpointFiles = Folder(tmp_path / "name-7b")
    there: CheckpointFiles = checkpoint
    assert (there.name, there.sizes, there.remote) == (here.name, here.sizes, True)
    assert there.where == "hf://owner/name-7b"
    assert there.path("config.json") == "hf://owner/name-7b/config.json"
    assert there.source is not None
    assert there.source.startswith(f"{server.endpoint}/owner/name-7b/tree/")
    for name in (*here.sizes, "none.json"):
        assert there.read(name) == here.read(name)
    with there.open("model.safetensors") as one, here.open("model.safetensors") as other:
        assert one.seek(1000) == other.seek(1000)
        assert one.read(50) == other.read(50)
    with there.fetch("model.safetensors") as path, here.fetch("model.safetensors") as other_path:
        assert path.read_bytes() == other_path.read_bytes()


def test_a_shard_is_here_only_while_it_is_worked_on(
    server: LoopbackHub, checkpoint: HubCheckpoint, tmp_path: Path
) -> None:
    with checkpoint.fetch("model.safetensors") as path:
        assert path.parent == tmp_path / "work"
        assert path.read_bytes() == SHARD
    assert not any((tmp_path / "work").iterdir())


def test_an_interrupted_run_does_not_fetch_the_shard_again(
    server: LoopbackHub, checkpoint: HubCheckpoint, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt), checkpoint.fetch("model.safetensors"):
        raise KeyboardInterrupt
    assert (tmp_path / "work" / "model.safetensors").read_bytes() == SHARD
    with checkpoint.fetch("model.safetensors") as path:
        assert path.read_bytes() == SHARD
    assert server.sent["model.safetensors"] == len(SHARD)
    assert not any((tmp_path / "work").iterdir())


def test_a_kept_shard_goes_to_the_shared_cache(server: LoopbackHub, hub: Hub, tmp_path: Path) -> None:
    server.add("owner/name-7b", FILES)
    for _ in range(2):
        checkpoint = HubCheckpoint(hub.repository("owner/name-7b"), tmp_path / "work", keep=True)
        with checkpoint.fetch("model.safetensors") as path:
            assert path.is_relative_to(tmp_path / "shared-cache")
            assert path.read_bytes() == SHARD
    assert path.exists()
    assert server.sent["model.safetensors"] == len(SHARD)
    assert not any((tmp_path / "work").iterdir())


def test_the_identity_is_the_contents(server: LoopbackHub, hub: Hub, tmp_path: Path) -> None:
    server.add("owner/name-7b", FILES)
    before = HubCheckpoint(hub.repository("owner/name-7b"), tmp_path)
    server.add("owner/name-7b", FILES | {"config.json": b"{ }"})
    after = HubCheckpoint(hub.repository("owner/name-7b"), tmp_path)
    assert before.identity("config.json") != after.identity("config.json")
    assert before.identity("model.safetensors") == after.identity("model.safetensors")


def test_what_is_wrong_is_refused(server: LoopbackHub, checkpoint: HubCheckpoint, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="300,000 bytes"):
        checkpoint.read("model.safetensors", limit=1000)
    with pytest.raises(HubError, match="no file none"), checkpoint.fetch("none"):
        pass
    server.inject("model.safetensors", Fault("flip"))
    with pytest.raises(ChecksumMismatch), checkpoint.fetch("model.safetensors"):
        pass
    assert not (tmp_path / "work" / "model.safetensors").exists()
