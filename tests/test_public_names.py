"""The public surface is what ``__all__`` lists, and importing it is cheap."""

from __future__ import annotations

import subprocess
import sys

import pytest

import bayling_lite

HEAVY = ("llama_cpp", "torch", "transformers", "numpy", "py3langid", "prompt_toolkit", "huggingface_hub")


def imported(code: str) -> set[str]:
    """The top-level modules in a new interpreter after running some code."""
    script = f"import sys\n{code}\nprint('\\n'.join(sorted({{name.split('.')[0] for name in sys.modules}})))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.splitlines())


def test_all_is_sorted_and_complete() -> None:
    names = [name for name in bayling_lite.__all__ if name != "__version__"]
    assert sorted(names) == sorted(bayling_lite._HOME_OF)
    assert set(bayling_lite.__all__) <= set(dir(bayling_lite))


@pytest.mark.parametrize("name", bayling_lite.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(bayling_lite, name) is not None


def test_any_other_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Translater'"):
        bayling_lite.Translater  # noqa: B018


def test_importing_the_package_is_cheap() -> None:
    assert not imported("import bayling_lite").intersection(HEAVY)


def test_translator_and_scripted_engine_need_no_model_library() -> None:
    code = (
        "from bayling_lite import Translator, ScriptedEngine\n"
        "Translator(ScriptedEngine(['x'])).translate('Hello.', 'zh', 'en')"
    )
    assert not imported(code).intersection(HEAVY)
