"""The models folder: what is listed, under which names, what verifying notices and what removing leaves alone."""

from __future__ import annotations

import errno
import hashlib
import json
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bayling_convert import FileType
from bayling_lite.errors import ChecksumMismatch, ModelUnreadable, OutputError
from bayling_lite.quantizations import BITS_PER_WEIGHT, about_bytes, part_of, split_type, type_in_name, without_type
from bayling_lite.registry import (
    LocalModel,
    Record,
    Registry,
    read_record,
    record_path,
    verify,
    working_in,
    write_record,
)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


def put(registry: Registry, name: str) -> Path:
    path = registry.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"GGUF")
    return path


def record_of(path: Path) -> Record:
    return Record(
        source="hf://some/model",
        revision="0" * 40,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        size=path.stat().st_size,
        type="Q8_0",
        pulled="2026-01-01T00:00:00Z",
        bayling="0.1.0",
        licence="apache-2.0",
    )


def pulled(registry: Registry, model: Path, name: str = "some/model/model.Q8_0.gguf") -> LocalModel:
    """A real model in the folder, with its record."""
    path = put(registry, name)
    shutil.copy(model, path)
    write_record(path, record_of(path))
    return next(found for found in registry.models() if found.path == path)


@pytest.mark.parametrize(
    ("stem", "name", "bare"),
    [
        ("llama-2-7b.Q4_K_M", "Q4_K_M", "llama-2-7b"),
        ("qwen2.5-0.5b-instruct-q8_0", "Q8_0", "qwen2.5-0.5b-instruct"),
        ("model-IQ4_XS", "IQ4_XS", "model"),
        ("model-fp16", "F16", "model"),
        ("model-UD-Q4_K_XL-00001-of-00003", "Q4_K_XL", "model-UD-Q4_K_XL-00001-of-00003"),
        ("bayling-13b-v1.1", None, "bayling-13b-v1.1"),
        ("Q8_0", "Q8_0", "Q8_0"),
    ],
)
def test_the_type_in_a_name(stem: str, name: str | None, bare: str) -> None:
    assert (type_in_name(stem), without_type(stem)) == (name, bare)


def test_a_type_behind_a_colon() -> None:
    assert split_type("OWNER/NAME:q4_k_m") == ("OWNER/NAME", "Q4_K_M")
    assert split_type("hf://OWNER/NAME") == ("hf://OWNER/NAME", None)
    assert split_type("name:latest") == ("name:latest", None)
    assert part_of("model-00002-of-00003") == (2, 3)
    assert part_of("model-2-of-3") is None


def test_every_type_that_can_be_written_is_known() -> None:
    assert {file_type.value for file_type in FileType} == BITS_PER_WEIGHT.keys()
    assert all(type_in_name(f"model.{name}") == name for name in BITS_PER_WEIGHT)


def test_the_size_to_expect() -> None:
    # What llama.cpp's own quantizer makes of LLaMA 2 7B: 4,081,004,224 bytes.
    assert about_bytes(6_738_415_616, "Q4_K_M") == pytest.approx(4_081_004_224, rel=0.01)
    assert about_bytes(1, "Q2_K") is None


def test_a_folder_that_is_not_there_holds_nothing(registry: Registry) -> None:
    assert registry.models() == []
    assert registry.matching("anything") == []
    assert not registry.folder.exists()


def test_names_are_as_short_as_can_be(registry: Registry) -> None:
    for name in (
        "one.Q4_K_M.gguf",
        "two.Q4_K_M.gguf",
        "two.Q8_0.gguf",
        "own.gguf",
        "a/b/model-q8_0.gguf",
        "c/d/first-Q8_0.gguf",
        "c/d/second-Q8_0.gguf",
    ):
        put(registry, name)
    names = [model.name for model in registry.models()]
    assert names == [
        "a/b",
        "c/d/first-Q8_0.gguf",
        "c/d/second-Q8_0.gguf",
        "one",
        "own",
        "two:Q4_K_M",
        "two:Q8_0",
    ]
    for model in registry.models():
        assert registry.matching(model.name)[0] == model


def test_what_is_no_model_of_the_folder_is_not_listed(registry: Registry, tmp_path: Path) -> None:
    put(registry, "own.gguf")
    put(registry, "a/b/c/too-deep.gguf")
    put(registry, "a/not-deep-enough.gguf")
    put(registry, ".pull/some--model/half.gguf")
    put(registry, "own.gguf.json")
    (registry.folder / "folder.gguf").mkdir()
    (registry.folder / "dangling.gguf").symlink_to(tmp_path / "nowhere")
    elsewhere = Registry(tmp_path / "elsewhere")
    put(elsewhere, "b/c.gguf")
    (registry.folder / "linked").symlink_to(elsewhere.folder)
    assert [model.name for model in registry.models()] == ["own"]


def test_the_likeliest_of_several_types_comes_first(registry: Registry) -> None:
    for kind in ("F32", "Q8_0", "Q2_K", "Q4_K_M", "Q6_K"):
        put(registry, f"model.{kind}.gguf")
    types = [model.type for model in registry.matching("MODEL")]
    assert types == ["Q4_K_M", "Q6_K", "Q8_0", "F32", "Q2_K"]
    assert [model.type for model in registry.matching("model:Q8_0")] == ["Q8_0"]
    assert [model.type for model in registry.matching("model.Q8_0")] == ["Q8_0"]
    assert registry.matching("model:Q5_K_M") == []


def test_a_record_comes_back_as_it_was_written(registry: Registry) -> None:
    path = put(registry, "model.gguf")
    write_record(path, record_of(path))
    assert read_record(path) == record_of(path)
    assert sorted(file.name for file in registry.folder.iterdir()) == ["model.gguf", "model.gguf.json"]
    with pytest.raises(OutputError, match="cannot be written"):
        write_record(registry.folder / "none" / "model.gguf", record_of(path))


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"size": 4}',
        "\xff",
        "x" * 100_000,
        "size=text",
        "source=7",
        "sha256=null",
    ],
)
def test_a_damaged_record_is_as_none(registry: Registry, damage: str) -> None:
    path = put(registry, "model.gguf")
    write_record(path, record_of(path))
    said = json.loads(record_path(path).read_text(encoding="utf-8"))
    key, _, value = damage.partition("=")
    if value:
        said[key] = {"7": 7, "null": None}.get(value, value)
        damage = json.dumps(said)
    record_path(path).write_text(damage, encoding="latin-1")
    assert [model.record for model in registry.models()] == [None]


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such devices on this platform")
def test_a_record_that_has_no_end_is_as_none(registry: Registry) -> None:
    path = put(registry, "model.Q8_0.gguf")
    record_path(path).symlink_to("/dev/zero")
    assert read_record(path) is None


def test_verifying_says_what_was_compared(registry: Registry, random_model: Path) -> None:
    told: list[tuple[int, int, str]] = []
    model = pulled(registry, random_model)
    assert "SHA-256" in verify(model, lambda *said: told.append(said))
    assert told[-1][:2] == (model.size, model.size)
    record_path(model.path).unlink()
    assert verify(registry.models()[0]) == "header; nothing is on record of it"


def test_verifying_notices_one_bit_and_one_byte_less(registry: Registry, random_model: Path) -> None:
    model = pulled(registry, random_model)
    data = bytearray(model.path.read_bytes())
    data[-100] ^= 4
    model.path.write_bytes(data)
    with pytest.raises(
        ChecksumMismatch, match=r"SHA-256.*bayling models pull hf://some/model --revision 0{40} --type Q8_0 --force"
    ) as it:
        verify(model)
    assert it.value.exit_status == 5
    model.path.write_bytes(data[:-1])
    with pytest.raises(ChecksumMismatch, match="its record says"):
        verify(model)
    model.path.unlink()
    with pytest.raises(ChecksumMismatch, match="the file is missing"):
        verify(model)


def test_the_remedy_finds_the_same_file_and_is_safe_to_type(registry: Registry, random_model: Path) -> None:
    only = pulled(registry, random_model, "some/model/model.gguf")
    evil = replace(record_of(only.path), size=1, file="model.gguf", source="hf://x;reboot", base="$(reboot)")
    write_record(only.path, evil)
    with pytest.raises(ChecksumMismatch) as caught:
        verify(replace(only, record=read_record(only.path)))
    words = shlex.split(str(caught.value).partition("Fetch it again: ")[2])
    assert words[:3] == ["bayling", "models", "pull"]
    assert words[3:] == ["hf://x;reboot:model.gguf", "--revision", "0" * 40, "--base", "$(reboot)", "--force"]


def test_a_model_that_cannot_be_read_is_said_to_be(
    registry: Registry, random_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise OSError(errno.EIO, "Input/output error")

    model = pulled(registry, random_model)
    monkeypatch.setattr("bayling_lite.registry.check.file_sha256", broken)
    with pytest.raises(ModelUnreadable, match="Input/output error"):
        verify(model)


def test_without_a_record_the_header_is_checked(registry: Registry) -> None:
    put(registry, "model.gguf")
    with pytest.raises(ModelUnreadable):
        verify(registry.models()[0])


def test_removing_takes_the_record_and_the_empty_folders_along(registry: Registry, random_model: Path) -> None:
    model = pulled(registry, random_model)
    put(registry, "some/other/model.gguf")
    registry.remove(model)
    assert [path.name for path in (registry.folder / "some").iterdir()] == ["other"]
    registry.remove(registry.models()[0])
    assert list(registry.folder.iterdir()) == []


def test_removing_a_link_leaves_what_it_leads_to(registry: Registry, tmp_path: Path, random_model: Path) -> None:
    put(registry, "own.gguf").unlink()
    (registry.folder / "own.gguf").symlink_to(random_model)
    registry.remove(registry.models()[0])
    assert random_model.exists()
    assert list(registry.folder.iterdir()) == []


def test_nothing_outside_the_folder_is_removed(registry: Registry, tmp_path: Path, random_model: Path) -> None:
    outside = Registry(tmp_path / "outside")
    for name in ("m.gguf", "b/m.gguf"):
        put(outside, name)
    put(registry, "own.gguf")
    (registry.folder / "a").symlink_to(outside.folder)
    for path in (
        outside.folder / "m.gguf",
        registry.folder / "a" / "b" / "m.gguf",
        registry.folder / "../outside/m.gguf",
    ):
        with pytest.raises(OutputError, match="not in the models folder"):
            registry.remove(LocalModel("m", path))
    assert len(list(outside.folder.rglob("*.gguf"))) == 2


def test_what_an_interrupted_pull_left_is_removed(registry: Registry, tmp_path: Path) -> None:
    registry.remove_leftovers("some/model")
    left, other = (registry.work_folder("some/model", kind) for kind in ("Q4_K_M", "Q8_0"))
    for folder in (left, other):
        folder.mkdir(parents=True)
        (folder / "model.safetensors.part").write_bytes(b"half")
    assert registry.leftovers("some/model") == [left, other]
    with working_in(left), pytest.raises(OutputError, match="just pulling"):
        registry.remove_leftovers("some/model", "Q4_K_M")
    registry.remove_leftovers("some/model", "Q4_K_M")
    assert registry.leftovers("some/model") == [other]
    registry.remove_leftovers("some/model")
    assert list(registry.folder.iterdir()) == []

    (tmp_path / "outside" / "Q4_K_M").mkdir(parents=True)
    left.parent.parent.mkdir()
    left.parent.symlink_to(tmp_path / "outside")
    registry.remove_leftovers("some/model")
    assert (tmp_path / "outside" / "Q4_K_M").is_dir()


def test_what_cannot_be_removed_is_said(registry: Registry) -> None:
    record_path(put(registry, "own.gguf")).mkdir()
    with pytest.raises(OutputError, match="cannot be removed"):
        registry.remove(registry.models()[0])
