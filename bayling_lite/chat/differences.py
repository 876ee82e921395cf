"""What is different between two versions of a draft, by words and Chinese characters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of text that two versions share, or that only one of them has.

    The ``kept`` and ``removed`` ones together are the version before, the ``kept`` and ``added`` ones that after.
    """

    kind: Literal["kept", "removed", "added"]
    text: str
