"""A request answered by beam search: every hypothesis is a sequence, and all of them are evaluated together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bayling_lite.engine.answers import Answer, feed
from bayling_lite.engine.base import FinishReason, Hypothesis
from bayling_lite.engine.generation import StreamedGeneration
from bayling_lite.engine.jobs import Job, Plan, Workplace
from bayling_lite.engine.search import BeamSearch, Branch, Found
from bayling_lite.engine.sequences import Slot, common_prefix
from bayling_lite.engine.text import TextStream
from bayling_lite.errors import EngineError


class SearchJob(Job):
    """Hypotheses side by side. The text comes when the search is over.

    ``new_stream`` makes the text of one hypothesis.

    Raises:
        PhrasesDoNotFit: what the answer must contain is longer than it may be.
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
            slot, self.slot = self.slot, None
            self._branch(self._search.start(logits[first_row]), [slot])

    def suspend(self) -> None:
        """Give up the memory. The search begins again: its hypotheses are many and the prompt is one."""
        super().suspend()
        for slot, _ in self._branches:
            self._place.sequences.drop(slot)
        self._branches = []
        self._search = self._new_search()

    def finish(self, reason: FinishReason) -> None:
        """End with the best there is."""
        found = self._search.results() if self._prompted is not None else []
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
        stream = self._new_stream()
        pieces = []
        for token in found.tokens:
            pieces.append(feed(stream, token, self._place.vocabulary))
            if stream.stopped:
                break
        pieces.append(stream.finish(cut=not found.finished))
        return Hypothesis("".join(pieces), found.score, found.logprob, len(found.tokens), found.finished)

    def _new_search(self) -> BeamSearch:
        params = self.generation.request.search
        assert params is not None  # noqa: S101 - else it is not a search
        most = min(self.room, self.generation.request.max_tokens or self.room)
        return BeamSearch(params, self._place.vocabulary, self._place.stop_ids, most)

    def _end(self) -> None:
        for slot, _ in self._branches:
            self._place.sequences.drop(slot)
        self._branches = []
        super()._end()
