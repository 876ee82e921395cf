"""What a build is to do: everything its dialogues depend on, in one value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from bayling_finetune.dialogues.builder import check_kinds
from bayling_finetune.dialogues.contamination import Policy, TestSets
from bayling_finetune.dialogues.corpus import Bounds
from bayling_finetune.dialogues.filters import Filters
from bayling_finetune.dialogues.making import token_counter
from bayling_finetune.dialogues.sources import ParallelSource
from bayling_finetune.dialogues.tools import Drafts, Tools
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind

INTERACTIVE: Mapping[Kind, float] = MappingProxyType(
    {
        Kind.TRANSLATION: 0.2,
        Kind.CONSTRAINT: 0.1,
        Kind.CORRECTION: 0.15,
        Kind.GRAMMAR: 0.05,
        Kind.REPLACEMENT: 0.05,
        Kind.FORMALITY: 0.1,
        Kind.LENGTH: 0.3,
        Kind.STYLE: 0.1,
        Kind.CONVERSATION: 0.05,
    }
)
"""Shares that give about half as many dialogues as there are directions, half of these of several turns.

Few directions can give one about formality, style or length, which is why these are asked for more often.
"""
MAX_CHARACTERS = 8000


class Stage(StrEnum):
    """What is being done."""

    SCREEN = "Reading"
    GATHER = "Gathering"
    LEARN = "Aligning words"
    DRAFT = "Drafting"
    MAKE = "Building"
    ALSO = "Adding"


Drafting = Callable[[Iterable[Direction]], Drafts]
"""Gives the drafts for these directions, having made those that there are not yet."""
Watch = Callable[[Stage, int, int], None]
"""Called with the stage, the pairs done, and how many there are; 0 where that is not known yet."""
Also = Callable[[Tools, Iterable[Direction]], Iterable[Dialogue]]
"""Dialogues made elsewhere, to be written behind the others: of the tools and the directions that are used.

It is called before the others are made, and what it gives is iterated behind them. When a build is resumed it is called
again, and has to give the same ones in the same order.
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a build depends on. The dialogues depend on nothing else: not on ``processes``, nor on the machine.

    ``limit``: a random sample of so many pairs, 0 for all. ``drafting`` is asked for drafts of the directions that are
    to be corrected. ``drafts_digest`` and ``also_digest`` say which drafts, and which dialogues from elsewhere.
    ``tokenizer`` counts tokens for the report; ``licenses`` are told there, by the name of the source.
    """

    sources: tuple[ParallelSource, ...]
    kinds: Mapping[Kind, float]
    seed: int = 1
    instructions: Mapping[str, float] | None = None
    filters: Filters = field(default_factory=Filters)
    test_sets: TestSets | None = None
    on_overlap: Policy = Policy.REFUSE
    bounds: Bounds = field(default_factory=Bounds)
    limit: int = 0
    one_way: bool = False
    max_characters: int = MAX_CHARACTERS
    drafting: Drafting | None = None
    drafts_digest: str = ""
    also: Also | None = None
    also_digest: str = ""
    tokenizer: Path | None = None
    licenses: Mapping[str, str] = field(default_factory=dict)
    version: str = ""

    def check(self) -> None:
        """See to what can be seen to before anything is read.

        Raises:
            UsageError, InputError: something cannot be.
        """
        check_kinds(self.kinds)
        token_counter(self.tokenizer)
