"""Settings: what the command line says, else the environment, else config.toml, else the default.

=========== ================== ============================================================================
setting     environment        meaning
=========== ================== ============================================================================
model       BAYLING_MODEL      a name of the catalogue or a path to a .gguf file
models      BAYLING_MODELS     the folder of further models
offline     BAYLING_OFFLINE    never use the network (HF_HUB_OFFLINE counts as well)
threads     BAYLING_THREADS    threads to compute with
n_ctx       BAYLING_N_CTX      tokens of context
parallel    BAYLING_PARALLEL   requests computed at once
gpu_layers  BAYLING_GPU_LAYERS layers on the GPU, 0 for none
kv_type     BAYLING_KV_TYPE    number format of the KV cache: f16, f32 or q8_0
mmap        BAYLING_MMAP       map the model's file instead of reading it
mlock       BAYLING_MLOCK      keep the weights from being swapped out
plain       BAYLING_PLAIN      chat in linear text, as screen readers want it
=========== ================== ============================================================================

In config.toml they have the names of the first column.

``BAYLING_HOME`` puts config.toml and all directories under one folder; else they are the platform's own
(https://platformdirs.readthedocs.io). Nothing here creates a folder: whoever writes into one does.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, TypeVar, Unpack, get_args

import platformdirs

from bayling_lite.engine.plan import EngineOptions, KVType
from bayling_lite.errors import UsageError
from bayling_lite.localization import _, listed, sentences
from bayling_lite.reasons import reason

_APP = "bayling-lite"
_TRUTHS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}

KV_TYPES: tuple[KVType, ...] = get_args(KVType)

T = TypeVar("T")


class Flags(TypedDict, total=False):
    """What the command line says; left out, or None, where it says nothing."""

    model: str | None
    models: str | None
    offline: bool | None
    threads: int | None
    n_ctx: int | None
    parallel: int | None
    gpu_layers: int | None
    kv_type: str | None
    mmap: bool | None
    mlock: bool | None
    plain: bool | None


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force. None means: let the engine choose."""

    model: str | None
    models_dir: Path
    offline: bool
    threads: int | None
    n_ctx: int | None
    parallel: int | None
    gpu_layers: int | None
    kv_type: KVType | None
    mmap: bool | None
    mlock: bool
    plain: bool
    config_dir: Path
    data_dir: Path
    cache_dir: Path
    state_dir: Path

    @property
    def engine(self) -> EngineOptions:
        """How an engine is set up by them."""
        return {
            "n_ctx": self.n_ctx,
            "n_parallel": self.parallel,
            "n_threads": self.threads,
            "n_gpu_layers": self.gpu_layers,
            "kv_type": self.kv_type,
            "use_mmap": self.mmap,
            "use_mlock": self.mlock,
        }

    @property
    def config_file(self) -> Path:
        """Where config.toml is read from; it need not exist."""
        return self.config_dir / "config.toml"

    @classmethod
    def load(cls, *, environ: Mapping[str, str] | None = None, **flags: Unpack[Flags]) -> Settings:
        """Read the settings.

        Raises:
            UsageError: a bad value, and the message says where it stands; or a config.toml that cannot be read or has
                an unknown key.
        """
        environment = os.environ if environ is None else environ
        config_dir, data_dir, cache_dir, state_dir = _directories(environment.get("BAYLING_HOME"))
        sources = _Sources(flags, environment, config_dir / "config.toml")
        models_dir = sources.find("models", _text)
        return cls(
            model=sources.find("model", _text),
            models_dir=data_dir / "models" if models_dir is None else Path(models_dir).expanduser(),
            offline=sources.find("offline", _truth) or False,
            threads=sources.find("threads", _count),
            n_ctx=sources.find("n_ctx", _count),
            parallel=sources.find("parallel", _count),
            gpu_layers=sources.find("gpu_layers", _count_from_zero),
            kv_type=sources.find("kv_type", _kv_type),
            mmap=sources.find("mmap", _truth),
            mlock=sources.find("mlock", _truth) or False,
            plain=sources.find("plain", _truth) or False,
            config_dir=config_dir,
            data_dir=data_dir,
            cache_dir=cache_dir,
            state_dir=state_dir,
        )


def _directories(home: str | None) -> tuple[Path, Path, Path, Path]:
    """The folders of configuration, data, cache and state."""
    if home:
        root = Path(home).expanduser()
        return root, root / "data", root / "cache", root / "state"
    platform = platformdirs.PlatformDirs(_APP, appauthor=False)
    return platform.user_config_path, platform.user_data_path, platform.user_cache_path, platform.user_state_path


class _Sources:
    """Looks a setting up in the flags, the environment and the config file, in this order."""

    _NAMES = tuple(Flags.__annotations__)

    def __init__(self, flags: Flags, environ: Mapping[str, str], config_file: Path) -> None:
        self._flags: Mapping[str, object] = {**flags}
        self._environ = environ
        self._config_file = config_file
        self._config = self._read()

    def find(self, name: str, check: Callable[[object], T]) -> T | None:
        """The first source's value, checked."""
        for source, value in self._candidates(name):
            if value is None:
                continue
            try:
                return check(value)
            except ValueError as error:
                raise UsageError(
                    _("{source}: {wanted}, not {value!r}.", source=source, wanted=error, value=value)
                ) from None
        return None

    def _candidates(self, name: str) -> list[tuple[str, object]]:
        candidates: list[tuple[str, object]] = [(f"--{name.replace('_', '-')}", self._flags.get(name))]
        variables = [f"BAYLING_{name.upper()}", *(["HF_HUB_OFFLINE"] if name == "offline" else [])]
        # An empty variable counts as none: that is how a shell unsets one for a single command.
        candidates += [(variable, self._environ.get(variable) or None) for variable in variables]
        candidates.append((f"{self._config_file}: {name}", self._config.get(name)))
        return candidates

    def _read(self) -> dict[str, object]:
        try:
            config = tomllib.loads(self._config_file.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UsageError(
                _("{path} cannot be read: {reason}.", path=self._config_file, reason=reason(error))
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(_("{path} is not valid TOML: {reason}.", path=self._config_file, reason=error)) from error
        for key in config:
            if key not in self._NAMES:
                nearest = difflib.get_close_matches(key, self._NAMES, n=1)
                hint = (
                    _("Did you mean {name!r}?", name=nearest[0])
                    if nearest
                    else _("Known: {names}.", names=listed(self._NAMES))
                )
                raise UsageError(
                    sentences(_("{path} has an unknown key {key!r}.", path=self._config_file, key=key), hint)
                )
        return config


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(_("a text is wanted"))
    return value


def _count(value: object, *, least: int = 1) -> int:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(_("a whole number of {least} or more is wanted", least=least))
    return value


def _count_from_zero(value: object) -> int:
    return _count(value, least=0)


def _kv_type(value: object) -> KVType:
    for known in KV_TYPES:
        if isinstance(value, str) and value.strip().casefold() == known:
            return known
    raise ValueError(_("one of {names} is wanted", names=listed(KV_TYPES)))


def _truth(value: object) -> bool:
    if isinstance(value, str):
        value = _TRUTHS.get(value.strip().casefold())
    if not isinstance(value, bool):
        raise ValueError(_("true or false is wanted (or yes, no, on, off, 1, 0)"))
    return value
