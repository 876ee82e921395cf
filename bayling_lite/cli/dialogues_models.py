"""Models that help ``bayling dialogues build``: one that makes real drafts here, one that writes behind a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayling_lite.cli.saying import say

if TYPE_CHECKING:
    from bayling_finetune.dialogues.tools import Drafts, Tools
    from bayling_finetune.dialogues.values import Dialogue, Direction
    from bayling_lite.cli.dialogues_plan import Choices, Show
    from bayling_lite.cli.dialogues_writer import WriterOptions


@dataclass(frozen=True, slots=True)
class Writing:
    """The freer dialogues, written by a model behind a server. Its answers are kept beside the output."""

    options: WriterOptions
    seed: int

    @classmethod
    def chosen(cls, choices: Choices) -> Writing | None:
        """None where no writer is named."""
        from bayling_lite.cli.dialogues_writer import chosen_writer

        options = chosen_writer(
            choices.output.with_name(f"{choices.output.name}.written"),
            writer=choices.writer,
            writer_model=choices.writer_model,
            writer_dialogues=choices.writer_dialogues,
            writer_kinds=choices.writer_kinds,
            writer_price=choices.writer_price,
            writer_parallel=choices.writer_parallel,
            yes=choices.yes,
        )
        return cls(options, choices.seed) if options is not None else None

    @property
    def digest(self) -> str:
        """What is written depends on nothing else."""
        return f"{self.options.url} {self.options.model} {self.options.number} {self.options.tasks}"

    def __call__(self, tools: Tools, directions: Iterable[Direction]) -> Iterable[Dialogue]:
        """Ask the user at once, the server later."""
        from bayling_lite.cli.dialogues_writer import commissioned, written

        with ExitStack() as stack:
            commissions, endpoint, store = stack.enter_context(
                commissioned(self.options, directions, tools, seed=self.seed)
            )
            kept = stack.pop_all()

        def dialogues() -> Iterator[Dialogue]:
            with kept:
                yield from written(commissions, endpoint, store, parallel=self.options.parallel)

        return dialogues()


class Drafting:
    """Real drafts for a share of the directions that are to be corrected, from a model on this machine.

    They are kept beside the output, in NAME.drafts, also when the build is done: another build finds them there.
    """

    def __init__(self, choices: Choices, show: Show) -> None:
        from bayling_lite.catalogue import resolve
        from bayling_lite.cli.dialogues_drafts import fingerprint
        from bayling_lite.settings import Settings

        self._settings = Settings.load(model=choices.drafts)
        self._model = resolve(None, self._settings)
        self._store = choices.output.with_name(f"{choices.output.name}.drafts")
        self._share, self._seed, self._show = choices.draft_share, choices.seed, show
        self._print = fingerprint(self._model)
        self.digest = f"{self._print} {self._share}"

    def __call__(self, directions: Iterable[Direction]) -> Drafts:
        """Ask for the drafts that are not in the store yet."""
        from bayling_finetune.dialogues.drafts import DraftStore, choose
        from bayling_finetune.dialogues.plan import Stage
        from bayling_lite.cli.dialogues_drafts import make_drafts
        from bayling_lite.cli.opening import open_engine

        store = DraftStore(self._store, self._print)
        chosen = list(choose(directions, self._share, self._seed))
        missing = sum(1 for _ in store.missing(chosen))
        if missing:
            say(f"Asking {self._model.name} for {missing:,} drafts; they are kept in {self._store}.")
            with open_engine(self._model, self._settings, quiet=True) as engine:
                make_drafts(engine, chosen, store, progress=lambda done: self._show(Stage.DRAFT, done, len(chosen)))
        return store
