"""The small files of a Hugging Face checkpoint folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from bayling_lite.errors import RecipeError

_TOKENIZER_FILES = (
    *("tokenizer.model", "tokenizer.json", "tokenizer_config.json"),
    *("special_tokens_map.json", "added_tokens.json"),
)
CHAT_TEMPLATE = "chat_template.jinja"


def read_json(path: Path) -> dict[str, Any]:
    """What a JSON file holds; nothing where there is no file.

    Raises:
        RecipeError: it cannot be read, or is no object.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path} cannot be read: {error}") from error
    if not isinstance(said, dict):
        raise RecipeError(f"{path} cannot be read: it is no object.")
    return said


def copy_tokenizer(base: Path, folder: Path, *, chat_template: str) -> None:
    """Take over a base's tokenizer as it is, with the template that was trained on in the place of its own."""
    for name in _TOKENIZER_FILES:
        if (base / name).is_file():
            shutil.copyfile(base / name, folder / name)
    (folder / CHAT_TEMPLATE).write_text(chat_template, encoding="utf-8")
    said = read_json(folder / "tokenizer_config.json")
    if said.pop("chat_template", None) is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
