"""Flag, environment, config file, default: who wins, and what a bad value is answered with."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from bayling_lite.errors import UsageError
from bayling_lite.settings import Settings


def load(home: Path, config: str = "", flags: dict[str, object] | None = None, **environ: str) -> Settings:
    if config:
        (home / "config.toml").write_text(config, encoding="utf-8")
    return Settings.load(environ={"BAYLING_HOME": str(home), **environ}, **(flags or {}))  # type: ignore[arg-type]


def test_the_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.model, settings.offline, settings.threads, settings.n_ctx) == (None, False, None, None)
    assert (settings.parallel, settings.gpu_layers, settings.kv_type) == (None, None, None)
    assert (settings.mmap, settings.mlock) == (None, False)
    assert settings.models_dir == tmp_path / "data" / "models"
    assert list(tmp_path.iterdir()) == []


def test_a_flag_beats_the_environment_beats_the_file(tmp_path: Path) -> None:
    config = 'model = "file"\nmodels = "/file"\noffline = true\nthreads = 3\nn_ctx = 300\n'
    settings = load(tmp_path, config)
    assert (settings.model, settings.models_dir, settings.offline) == ("file", Path("/file"), True)
    assert (settings.threads, settings.n_ctx) == (3, 300)
    environ = {"BAYLING_MODEL": "env", "BAYLING_MODELS": "/env", "BAYLING_OFFLINE": "no", "BAYLING_THREADS": " 2 "}
    settings = load(tmp_path, config, None, **environ, BAYLING_N_CTX="200")
    assert (settings.model, settings.models_dir, settings.offline) == ("env", Path("/env"), False)
    assert (settings.threads, settings.n_ctx) == (2, 200)
    flags: dict[str, object] = {"model": "flag", "models": "/flag", "offline": True, "threads": 1, "n_ctx": 100}
    settings = load(tmp_path, config, flags, **environ)
    assert (settings.model, settings.models_dir, settings.offline) == ("flag", Path("/flag"), True)
    assert (settings.threads, settings.n_ctx) == (1, 100)


def test_the_engine_is_set_up_by_flag_environment_and_file(tmp_path: Path) -> None:
    config = 'parallel = 3\ngpu_layers = 0\nkv_type = "f32"\nmmap = false\nmlock = true\n'
    settings = load(tmp_path, config)
    assert (settings.parallel, settings.gpu_layers, settings.kv_type) == (3, 0, "f32")
    assert (settings.mmap, settings.mlock) == (False, True)
    environ = {"BAYLING_PARALLEL": "2", "BAYLING_GPU_LAYERS": "7", "BAYLING_KV_TYPE": "Q8_0", "BAYLING_MMAP": "yes"}
    settings = load(tmp_path, config, None, **environ, BAYLING_MLOCK="0")
    assert (settings.parallel, settings.gpu_layers, settings.kv_type) == (2, 7, "q8_0")
    assert (settings.mmap, settings.mlock) == (True, False)
    flags: dict[str, object] = {"parallel": 1, "gpu_layers": 9, "kv_type": "f16", "mmap": False, "mlock": None}
    settings = load(tmp_path, config, flags, **environ, BAYLING_THREADS="4", BAYLING_N_CTX="500")
    assert settings.engine == {
        "n_ctx": 500,
        "n_parallel": 1,
        "n_threads": 4,
        "n_gpu_layers": 9,
        "kv_type": "f16",
        "use_mmap": False,
        "use_mlock": True,
    }


def test_bad_set_ups_say_where_they_stand(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^BAYLING_KV_TYPE: one of f16, f32, q8_0 is wanted, not 'q4'"):
        load(tmp_path, BAYLING_KV_TYPE="q4")
    with pytest.raises(UsageError, match=r"^BAYLING_GPU_LAYERS: a whole number of 0 or more is wanted, not '-1'"):
        load(tmp_path, BAYLING_GPU_LAYERS="-1")
    with pytest.raises(UsageError, match=r"^--gpu-layers: a whole number of 0 or more"):
        load(tmp_path, flags={"gpu_layers": -1})
    with pytest.raises(UsageError, match=r"^BAYLING_PARALLEL: a whole number of 1 or more is wanted, not '0'"):
        load(tmp_path, BAYLING_PARALLEL="0")


def test_the_plain_chat_is_a_setting(tmp_path: Path) -> None:
    assert not load(tmp_path).plain
    assert load(tmp_path, "plain = true").plain
    assert load(tmp_path, BAYLING_PLAIN="1").plain
    assert load(tmp_path, flags={"plain": True}, BAYLING_PLAIN="0").plain


def test_an_empty_variable_counts_as_none(tmp_path: Path) -> None:
    assert load(tmp_path, "threads = 3", BAYLING_THREADS="", BAYLING_OFFLINE="").threads == 3


def test_offline_follows_the_hub_unless_told_otherwise(tmp_path: Path) -> None:
    assert load(tmp_path, HF_HUB_OFFLINE="1").offline
    assert not load(tmp_path, HF_HUB_OFFLINE="1", BAYLING_OFFLINE="0").offline


@pytest.mark.parametrize("word", ["maybe", "2"])
def test_a_truth_value_must_be_one(word: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^BAYLING_OFFLINE: true or false is wanted"):
        load(tmp_path, BAYLING_OFFLINE=word)


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "²"])
def test_a_bad_number_says_where_it_stands(value: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"^BAYLING_THREADS: a whole number of 1 or more is wanted, not {value!r}"):
        load(tmp_path, BAYLING_THREADS=value)
    with pytest.raises(UsageError, match=r"^--n-ctx: a whole number"):
        load(tmp_path, flags={"n_ctx": 0})


@pytest.mark.parametrize(
    "line",
    [
        "threads = 0",
        "threads = true",
        "n_ctx = 1.5",
        "model = 3",
        'model = ""',
        "offline = 1",
        "parallel = 0",
        'gpu_layers = "all"',
        "kv_type = 16",
        "mlock = 1",
    ],
)
def test_a_bad_value_of_the_file_names_file_and_key(line: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"config\.toml: {line.split()[0]}: "):
        load(tmp_path, line)


def test_an_unknown_key_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"config\.toml has an unknown key 'thread'. Did you mean 'threads'\?"):
        load(tmp_path, "thread = 2")
    with pytest.raises(
        UsageError, match="Known: model, models, offline, threads, n_ctx, parallel, gpu_layers, kv_type, mmap, mlock"
    ):
        load(tmp_path, "zzz = 2")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"config\.toml is not valid TOML: .*line 2"):
        load(tmp_path, "n_ctx = 8\nmodel = =")
    (tmp_path / "config.toml").write_bytes(b'model = "\xff"')
    with pytest.raises(UsageError, match="not valid TOML"):
        load(tmp_path)
    (tmp_path / "config.toml").unlink()
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    assert load(tmp_path, "\ufeffthreads = 2").threads == 2


def test_without_a_home_the_directories_are_the_platforms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    settings = Settings.load(environ={})
    platform = platformdirs.PlatformDirs("bayling-lite", appauthor=False)
    assert settings.config_file == platform.user_config_path / "config.toml"
    assert settings.models_dir == platform.user_data_path / "models"
    assert settings.state_dir == platform.user_state_path


def test_home_may_start_with_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings.load(environ={"BAYLING_HOME": "~/bay"}).config_dir == tmp_path / "bay"
    assert Settings.load(environ={"BAYLING_MODELS": "~/gguf"}).models_dir == tmp_path / "gguf"
