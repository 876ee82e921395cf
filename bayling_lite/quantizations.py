"""The number formats weights are stored in, as the names of files and commands say them: ``Q4_K_M``, ``BF16``, ...

Which of the files of a repository has which, what to take where nobody says, and about how large it comes out.
"""

from __future__ import annotations

import re

DEFAULT_TYPE = "Q4_K_M"

# The types that ``bayling convert`` writes, best for most people first, and their bits per weight in a LLaMA of 7 B
# parameters (llama.cpp's mixtures keep some tensors finer, so these are more than the names say).
BITS_PER_WEIGHT = {
    "Q4_K_M": 4.85,
    "Q5_K_M": 5.68,
    "Q6_K": 6.56,
    "Q8_0": 8.5,
    "Q4_K_S": 4.58,
    "IQ4_XS": 4.34,
    "Q4_0": 4.55,
    "BF16": 16.0,
    "F16": 16.0,
    "F32": 32.0,
}

_TYPE = r"(?:BF16|FP?(?:16|32)|I?Q\d(?:_[A-Z0-9]{1,3}){0,3}|TQ\d_\d|MXFP4(?:_MOE)?)"
_TYPE_IN_NAME = re.compile(rf"(?<![A-Z0-9])({_TYPE})(?![A-Z0-9_])", re.IGNORECASE)
_WHOLE_TYPE = re.compile(_TYPE, re.IGNORECASE)
_PART = re.compile(r"-(\d{5})-of-(\d{5})$")


def type_in_name(stem: str) -> str | None:
    """The type that a file's name without ``.gguf`` tells: ``llama-2-7b.Q4_K_M``, ``qwen-0.5b-q8_0``; None if none."""
    found = _TYPE_IN_NAME.findall(without_part(stem))
    return canonical(found[-1]) if found else None


def without_type(stem: str) -> str:
    """The name without the type at its end: ``bayling-2-7b`` of ``bayling-2-7b.Q4_K_M``."""
    return re.sub(rf"[.\-_]{_TYPE}$", "", stem, flags=re.IGNORECASE) or stem


def split_type(name: str) -> tuple[str, str | None]:
    """``name:TYPE`` in two; what follows the colon counts only where it is the name of a type."""
    head, colon, tail = name.rpartition(":")
    if colon and head and _WHOLE_TYPE.fullmatch(tail):
        return head, canonical(tail)
    return name, None


def canonical(name: str) -> str:
    """The type's name as llama.cpp spells it."""
    upper = name.upper()
    return upper.replace("FP", "F") if upper.startswith("FP") else upper


def part_of(stem: str) -> tuple[int, int] | None:
    """(number, count) of a model cut into several files, ``...-00001-of-00003``; None for a whole one."""
    found = _PART.search(stem)
    return (int(found[1]), int(found[2])) if found else None


def without_part(stem: str) -> str:
    """The name without ``-00001-of-00003``."""
    return _PART.sub("", stem)


def preference(name: str | None) -> int:
    """Where a type stands among those there are, lower first: the default, then finer ones, then the rest."""
    order = list(BITS_PER_WEIGHT)
    return order.index(name) if name in BITS_PER_WEIGHT else len(order)


def about_bytes(n_parameters: int, name: str) -> int | None:
    """About how many bytes a model takes in a type; None for a type that is not ours."""
    bits = BITS_PER_WEIGHT.get(name)
    return None if bits is None else round(n_parameters * bits / 8)
