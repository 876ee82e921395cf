"""From a TOML table to values: every key known, every value of the declared type, and each mistake named by its key."""

from __future__ import annotations

import inspect
import tomllib
import types
import typing
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from bayling_finetune.config.checks import meant
from bayling_lite.errors import RecipeError

Value = TypeVar("Value")

_NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def read_toml(path: Path) -> dict[str, Any]:
    """The table that a file holds.

    Raises:
        RecipeError: it is missing, or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise RecipeError(f"There is no recipe {path}.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"The recipe {path} cannot be read: {error}") from error


def build(kind: type[Value], table: Any, *, where: str = "", **given: Any) -> Value:
    """Make a dataclass from a table.

    ``where`` is the table's dotted name, empty for the file itself; ``given`` are values that do not come from it. A
    dataclass with a ``check_named`` is told which keys the table named, and those of the values it asks for.

    Raises:
        RecipeError: a key is unknown or missing, a value is of another type, or two conflict.
    """
    if not isinstance(table, dict):
        raise RecipeError(f"{where} must be a table, [{where}], not {table!r}.")
    hints = typing.get_type_hints(kind)
    known = hints.keys() - given.keys()
    place = f"{where}: " if where else ""
    if unknown := sorted(table.keys() - known):
        listed = ", ".join(sorted(known))
        raise RecipeError(f"{place}unknown key {unknown[0]!r}.{meant(unknown[0], known)} Known: {listed}.")
    if missing := sorted(_required(kind) - table.keys() - given.keys()):
        raise RecipeError(f"{place}the key {missing[0]!r} is missing.")
    dotted = f"{where}." if where else ""
    values = {key: _convert(hints[key], value, where=f"{dotted}{key}") for key, value in table.items()}
    built: Value = kind(**values, **given)
    check: Callable[..., None] | None = getattr(kind, "check_named", None)
    if check is not None:
        others = inspect.signature(check).parameters.keys() - {"named"}
        check(set(table), **{name: getattr(built, name) for name in others})
    return built


def _required(kind: Any) -> set[str]:
    return {key.name for key in fields(kind) if key.default is MISSING and key.default_factory is MISSING}


def _convert(hint: Any, value: Any, *, where: str) -> Any:
    if isinstance(hint, types.UnionType):  # "or None": a table that may be left out
        hint = next(member for member in typing.get_args(hint) if member is not types.NoneType)
    if is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value, where=where)
    if typing.get_origin(hint) is tuple:
        return _convert_list(typing.get_args(hint)[0], value, where=where)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise RecipeError(f"{where} must be {_NAMES.get(hint, hint.__name__)}, not {value!r}.")
    return value


def _convert_list(item: Any, value: Any, *, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        wanted = f"a list of tables, [[{where}]]" if is_dataclass(item) else "a list"
        raise RecipeError(f"{where} must be {wanted}, not {_shortened(value)}.")
    return tuple(_convert(item, entry, where=f"{where}[{number}]") for number, entry in enumerate(value))


def _shortened(value: Any) -> str:
    return "one table" if isinstance(value, dict) else repr(value)
