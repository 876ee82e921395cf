"""From names to files, and what is said when there is none."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from bayling_lite import catalogue
from bayling_lite.catalogue import find_entry, first_run_notice, resolve
from bayling_lite.engine import ModelInfo
from bayling_lite.errors import ModelNotFound, ModelUnreadable
from bayling_lite.languages import find_language
from bayling_lite.prompts import TEMPLATES
from bayling_lite.settings import Settings

DEMONSTRATOR = ModelInfo(name="bayling-tiny", template="bayling", n_ctx=512, demonstrator=True)


@pytest.fixture
def settings() -> Settings:
    return Settings.load()


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A package as installed, with a catalogue and an embedded model inside it."""
    folder = tmp_path / "site-packages" / "bayling_lite"
    (folder / "models" / "bayling-tiny").mkdir(parents=True)
    shutil.copy(catalogue.models_folder() / "catalogue.toml", folder / "models")
    (folder / "models" / "bayling-tiny" / "bayling-tiny.gguf").touch()
    monkeypatch.setattr(catalogue, "_PACKAGE", folder)
    return folder


def test_every_entry_is_complete_and_its_template_and_languages_exist() -> None:
    entries = catalogue.catalogue()
    assert next(iter(entries)) == "bayling-tiny"
    assert sorted(entry.hub for entry in entries.values() if entry.hub) == [
        "ICTNLP/bayling-13b-diff",
        "ICTNLP/bayling-13b-v1.1",
        "ICTNLP/bayling-2-13b",
        "ICTNLP/bayling-2-7b",
        "ICTNLP/bayling-2-llama-3-8b",
        "ICTNLP/bayling-7b-diff",
    ]
    for entry in entries.values():
        assert entry.kind in {"embedded", "checkpoint", "delta"}
        assert (entry.hub is None) == (entry.base is None) == (entry.kind == "embedded")
        assert entry.template in TEMPLATES
        assert entry.kind == "embedded" or 1.9 < (entry.download or 0) / (entry.parameters or 1) < 2.1
        assert entry.placeholders == (entry.kind == "delta" or entry.name == "bayling-13b-v1.1")
        assert [find_language(code).code for code in entry.languages] == list(entry.languages)
    assert entries["bayling-tiny"].licence == "CC-BY-SA-4.0"
    assert entries["bayling-2-llama-3-8b"].template == "bayling-3"


def test_an_entry_is_found_by_alias_hub_id_and_in_any_case() -> None:
    for name in ("bayling-2-8b", "BayLing-2-Llama-3-8B", "ICTNLP/bayling-2-llama-3-8b", "ictnlp/BAYLING-2-llama-3-8b"):
        entry = find_entry(name)
        assert entry is not None
        assert entry.name == "bayling-2-llama-3-8b"
    assert find_entry("bayling") is None


def test_the_embedded_model_is_the_default_and_lies_in_the_package(package: Path, settings: Settings) -> None:
    embedded = package / "models" / "bayling-tiny" / "bayling-tiny.gguf"
    assert resolve(None, settings) == resolve("bayling-tiny", settings) == resolve("BayLing-Tiny", settings) == embedded


def test_in_a_checkout_it_lies_beside_the_package(package: Path, settings: Settings) -> None:
    (package / "models").rename(package.parent / "models")
    assert resolve(None, settings) == package.parent / "models" / "bayling-tiny" / "bayling-tiny.gguf"


def test_an_incomplete_installation_says_so(package: Path, settings: Settings) -> None:
    (package / "models" / "bayling-tiny" / "bayling-tiny.gguf").unlink()
    with pytest.raises(ModelNotFound, match=r"missing from this installation.*--model"):
        resolve(None, settings)
    shutil.rmtree(package / "models")
    with pytest.raises(ModelNotFound, match="incomplete"):
        catalogue.models_folder()


def test_the_embedded_model_of_this_checkout(tiny_model: Path, settings: Settings) -> None:
    assert resolve(None, settings) == tiny_model
    assert tiny_model.stat().st_size <= 20 * 10**6


def test_the_settings_name_the_model(package: Path, settings: Settings, tmp_path: Path) -> None:
    mine = tmp_path / "mine.gguf"
    mine.touch()
    settings = dataclasses.replace(settings, model=str(mine))
    assert resolve(None, settings) == mine
    assert resolve("bayling-tiny", settings).parent.name == "bayling-tiny"


def test_a_local_path_always_works(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("model.gguf", "Model.GGUF", "bayling-2-7b.gguf", "weights"):
        (tmp_path / name).touch()
        assert resolve(name, settings) == Path(name)
        assert resolve(str(tmp_path / name), settings) == tmp_path / name
        assert resolve(f"~/{name}", settings) == tmp_path / name


def test_a_path_that_is_not_there_or_is_a_folder(settings: Settings, tmp_path: Path) -> None:
    for missing in ("none.gguf", str(tmp_path / "none"), "./none", "x" * 5000 + ".gguf"):
        with pytest.raises(ModelNotFound, match="There is no file"):
            resolve(missing, settings)
    with pytest.raises(ModelUnreadable, match="is a folder"):
        resolve(str(tmp_path), settings)
    (tmp_path / "config.json").touch()
    with pytest.raises(ModelUnreadable, match=r"is a checkpoint, .*bayling convert"):
        resolve(str(tmp_path), settings)


def test_a_file_of_the_models_folder_is_found_by_its_stem(settings: Settings, tmp_path: Path) -> None:
    settings = dataclasses.replace(settings, models_dir=tmp_path)
    for name in ("Own.gguf", "bayling-2-7b.gguf", "bayling-2-8b.gguf"):
        (tmp_path / name).touch()
    assert resolve("own", settings) == tmp_path / "Own.gguf"
    assert resolve("own.gguf", settings) == tmp_path / "Own.gguf"
    assert resolve("ICTNLP/bayling-2-7b", settings) == tmp_path / "bayling-2-7b.gguf"
    assert resolve("bayling-2-llama-3-8b", settings) == tmp_path / "bayling-2-8b.gguf"


def test_a_pulled_model_is_found_by_each_of_its_names(settings: Settings, tmp_path: Path) -> None:
    settings = dataclasses.replace(settings, models_dir=tmp_path)
    four, eight = tmp_path / "bayling-2-llama-3-8b.Q4_K_M.gguf", tmp_path / "bayling-2-llama-3-8b.Q8_0.gguf"
    other = tmp_path / "Some-One" / "Model-GGUF" / "model-q5_k_m.gguf"
    other.parent.mkdir(parents=True)
    for path in (four, eight, other):
        path.touch()
    for name in (
        "bayling-2-8b",
        "BayLing-2-Llama-3-8B",
        "ICTNLP/bayling-2-llama-3-8b",
        "hf://ICTNLP/bayling-2-llama-3-8b",
    ):
        assert resolve(name, settings) == four
        assert resolve(f"{name}:q8_0", settings) == eight
    assert (
        resolve("bayling-2-llama-3-8b.Q8_0", settings) == resolve("bayling-2-llama-3-8b.Q8_0.gguf", settings) == eight
    )
    for name in ("Some-One/Model-GGUF", "some-one/model-gguf:Q5_K_M", "Some-One/Model-GGUF/model-q5_k_m.gguf"):
        assert resolve(name, settings) == other
    with pytest.raises(ModelNotFound, match="bayling models pull bayling-2-llama-3-8b:F16 "):
        resolve("bayling-2-8b:F16", settings)
    with pytest.raises(ModelNotFound, match="bayling models pull Some-One/Model-GGUF:Q8_0"):
        resolve("Some-One/Model-GGUF:Q8_0", settings)


def test_a_file_named_by_its_path_comes_before_the_models_folder(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = dataclasses.replace(settings, models_dir=tmp_path / "models")
    for path in (tmp_path / "models" / "own.gguf", tmp_path / "here" / "own.gguf"):
        path.parent.mkdir()
        path.touch()
    monkeypatch.chdir(tmp_path / "here")
    assert resolve("own.gguf", settings) == Path("own.gguf")
    assert resolve("own", settings) == tmp_path / "models" / "own.gguf"


def test_the_embedded_model_has_one_type(tiny_model: Path, settings: Settings) -> None:
    assert resolve("bayling-tiny:Q4_K_M", settings) == tiny_model
    with pytest.raises(ModelNotFound, match="ships with the package as Q4_K_M only"):
        resolve("bayling-tiny:Q8_0", settings)


def test_a_known_model_that_is_not_here_says_how_to_get_it(settings: Settings) -> None:
    for offline in (True, False):
        with pytest.raises(ModelNotFound) as caught:
            resolve("bayling-2-13b", dataclasses.replace(settings, offline=offline))
        message = str(caught.value)
        assert "bayling-2-13b is not on this machine" in message
        assert "bayling models pull bayling-2-13b (about 26.0 GB to download, 7.9 GB here)." in message
        assert ("switched off" in message) == offline
        assert caught.value.exit_status == 4


def test_a_delta_wants_its_base(settings: Settings) -> None:
    with pytest.raises(ModelNotFound) as caught:
        resolve("bayling-7b-diff", settings)
    assert "bayling models pull bayling-7b --base FOLDER_OR_REPOSITORY" in str(caught.value)
    assert "difference to LLaMA-7B, which is to be had from its owner" in str(caught.value)


def test_what_may_be_a_repository_is_told_how_to_be_fetched(settings: Settings) -> None:
    with pytest.raises(ModelNotFound, match="bayling models pull some/model"):
        resolve("some/model", settings)
    with pytest.raises(ModelNotFound, match="bayling models pull hf://some/model:Q8_0"):
        resolve("hf://some/model:Q8_0", settings)
    with pytest.raises(ModelNotFound, match=r"There is no file a/b/c\.$"):
        resolve("a/b/c", settings)


def test_an_unknown_name_lists_the_known_ones(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "own-model.gguf").touch()
    settings = dataclasses.replace(settings, models_dir=tmp_path)
    with pytest.raises(
        ModelNotFound, match=r"Did you mean bayling-2-7b\? Here: bayling-tiny, own-model; .*bayling models list"
    ):
        resolve("bayling-2-7", settings)
    with pytest.raises(ModelNotFound, match=r"There is no model 'xyzzy'\. Here: "):
        resolve("xyzzy", settings)


def test_the_notice_comes_once_and_in_one_line(settings: Settings) -> None:
    notice = first_run_notice(DEMONSTRATOR)
    assert notice is not None
    assert "\n" not in notice
    assert "bayling-tiny is a small demonstrator" in notice
    assert "bayling models pull bayling-2-7b" in notice
    assert first_run_notice(DEMONSTRATOR) is None
    assert first_run_notice(DEMONSTRATOR, settings) is None


def test_a_real_model_has_no_notice_and_leaves_no_trace(settings: Settings) -> None:
    assert first_run_notice(dataclasses.replace(DEMONSTRATOR, demonstrator=False)) is None
    assert not settings.state_dir.exists()


def test_a_state_directory_that_cannot_be_written_does_not_matter(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = dataclasses.replace(settings, state_dir=tmp_path / "file" / "state")
    assert first_run_notice(DEMONSTRATOR, settings)
    assert first_run_notice(DEMONSTRATOR, settings)
