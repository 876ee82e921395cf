"""A request answered by beam search: every hypothesis is a sequence, and all of them are evaluated together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bayling_lite.engine.answers import Answer, shown
from bayling_lite.engine.base import FinishReason, Hypothesis
from bayling_lite.engine.generation import StreamedGeneration
from bayling_lite.engine.jobs import Job, Plan, Workplace
from bayling_lite.engine.search import BeamSearch, Branch, Found
from bayling_lite.engine.sequences import Slot, common_prefix
from bayling_lite.engine.text import TextStream
from bayling_lite.engine.words import occurs
from bayling_lite.errors import EngineError, PhrasesDoNotFit, UsageError
from bayling_lite.localization import _


class SearchJob(Job):
    """Hypotheses side by side. The text comes when the search is over.

    ``new_stream`` makes the text of one hypothesis.

    Raises:
        PhrasesDoNotFit: what the answer must contain is longer than it may be, or would be written into a thought.
        UsageError: the model thinks before it answers; the search would be for a thought.
    """

    def __init__(
        self,
        generation: StreamedGeneration,
        prompt: list[int],
        room: int,
        answer: Answer,
        place: Workplace,
        new_stream: Callable[[], TextStream],
    ) -> None:
        super().__init__(generation, prompt, room, answer, place)
        self._new_stream = new_stream
        if answer.stream.thinking:
            if self._required:
                raise PhrasesDoNotFit("This model thinks first: a search would put the phrases into its thoughts.")
            raise UsageError(
                _("This model thinks first, so a search would be for its thoughts: leave the beam size at 1.")
            )
        self._search = self._new_search()
        self._branches: list[tuple[Slot, int]] = []  # each hypothesis, and the token that continues it
        self.width = self._search.width

    @property
    def tokens(self) -> list[int]:
        """The prompt; the hypotheses go on from it."""
        return self.prompt

    @property
    def reading(self) -> bool:
        """Whether the prompt is being evaluated."""
        return not self._branches and super().reading

    @property
    def waiting(self) -> bool:
        """Whether it has no sequence to work with yet."""
        return not self._branches and super().waiting

    def write(self, room: int) -> list[Plan]:
        """The newest token of every hypothesis."""
        del room
        if self._branches:
            return [Plan(slot, [token], 1) for slot, token in self._branches]
        assert self.slot is not None  # noqa: S101 - placed before it writes
        return [Plan(self.slot, self.prompt[-1:], 1)]

    def advance(self, plans: Sequence[Plan], first_row: int) -> None:
        """Choose the hypotheses to go on with."""
        logits = self._place.decoder.logits
        if self._branches:
            self._branch(self._search.step(logits[first_row : first_row + len(plans)]), [plan.slot for plan in plans])
        elif plans[-1].n_logits and self.slot is not None:
            self._note_prompt()
            branches = self._search.start(logits[first_row])
            self._branches, self.slot = [(self.slot, 0)], None
            self._branch(branches, [plans[-1].slot])

    def suspend(self) -> None:
        """Give up the memory. The search begins again: its hypotheses are many and the prompt is one."""
        super().suspend()
        for slot, _token in self._branches:
            self._place.sequences.drop(slot)
        self._branches = []
        self._search = self._new_search()

    def finish(self, reason: FinishReason) -> None:
        """End with the best there is."""
        found = self._search.results() if self._prompted is not None else []
        missing = [phrase for phrase in self._required if not any(occurs(phrase, self._text(one)) for one in found[:1])]
        if missing and reason != "cancelled":
            raise PhrasesDoNotFit(
                f"The answer lacks {', '.join(map(repr, missing))}: the search ran out of memory, or the phrase stands "
                "where it is not shown. Require fewer phrases, or open the model with a larger context."
            )
        if found:
            self._say(found[0].tokens)
            if reason != "cancelled":
                reason = "stop" if found[0].finished or self.answer.stream.stopped else "length"
        self._keep(self.prompt + self.answer.tokens)
        self._complete(reason, hypotheses=tuple(map(self._hypothesis, found)))

    def _branch(self, branches: Sequence[Branch], parents: Sequence[Slot]) -> None:
        """Give every new hypothesis a sequence: its parent's for the first child of each, a copy for the others."""
        childless = [slot for row, slot in enumerate(parents) if all(row != branch.parent for branch in branches)]
        heirs: set[int] = set()
        chosen: list[tuple[Slot, int]] = []
        for branch in branches:
            parent = parents[branch.parent]
            if branch.parent not in heirs:
                heirs.add(branch.parent)
                chosen.append((parent, branch.token))
            else:
                chosen.append((self._copy(parent, childless), branch.token))
        self._branches = chosen
        if not branches:
            self._branches = [(slot, 0) for slot in childless]  # for _keep to choose from
            self.finish("stop")
            return
        for slot in childless:
            self._place.sequences.drop(slot)

    def _copy(self, parent: Slot, childless: list[Slot]) -> Slot:
        if childless:
            slot = childless.pop()
            self._place.sequences.refill(slot, parent)
            return slot
        copy = self._place.sequences.fork(parent)
        if copy is None:
            raise EngineError("The beam is wider than the number of sequences; choose a smaller one.")
        self._branches.append((copy, 0))  # ours from now on, whatever goes wrong with the next
        return copy

    def _say(self, tokens: Sequence[int]) -> None:
        for token in tokens:
            if self.answer.add(token):
                return

    def _keep(self, tokens: Sequence[int]) -> None:
        """Keep the sequence that holds most of these tokens, drop the others."""
        slots = [slot for slot, _ in self._branches] + ([self.slot] if self.slot else [])
        self._branches = []
        self.slot = max(slots, key=lambda slot: common_prefix(slot.tokens, tokens, len(tokens)), default=None)
        for slot in slots:
            if slot is not self.slot:
                self._place.sequences.drop(slot)
        if self.slot is not None:
            self._place.sequences.trim(self.slot, common_prefix(self.slot.tokens, tokens, len(tokens)))

    def _hypothesis(self, found: Found) -> Hypothesis:
        return Hypothesis(self._text(found), found.score, found.logprob, len(found.tokens), found.finished)

    def _text(self, found: Found) -> str:
        return shown(self._new_stream(), found.tokens, self._place.vocabulary, cut=not found.finished)

    @property
    def _required(self) -> tuple[str, ...]:
        params = self.generation.request.search
        return params.required if params else ()

    def _new_search(self) -> BeamSearch:
        params = self.generation.request.search
        assert params is not None  # noqa: S101 - else it is not a search
        most = min(self.room, self.generation.request.max_tokens or self.room)
        return BeamSearch(params, self._place.vocabulary, self._place.stop_ids, most)

    def _end(self) -> None:
        for slot, _token in self._branches:
            self._place.sequences.drop(slot)
        self._branches = []
        super()._end()
