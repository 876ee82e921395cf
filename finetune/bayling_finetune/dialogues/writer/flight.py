"""Many requests in flight, their results in order, and none waited for when nobody wants them any more."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import islice
from queue import SimpleQueue
from typing import TypeVar

Entry = TypeVar("Entry")
Result = TypeVar("Result")

_AHEAD = 4
"""Entries a thread that are begun at most before the oldest has its result."""


def in_order(work: Callable[[Entry], Result], entries: Iterable[Entry], threads: int) -> Iterator[Result]:
    """``work`` of all entries by several threads. What it raises is raised where its result would have been.

    An executor's threads are waited for, at the end of the process at the latest: with a server that does not answer,
    Ctrl-C would take minutes. These are left alone instead; entries that are not begun by then never are.
    """
    queue: SimpleQueue[tuple[Future[Result], Entry] | None] = SimpleQueue()
    running: deque[Future[Result]] = deque()
    waiting = iter(entries)

    def serve() -> None:
        while (job := queue.get()) is not None:
            future, entry = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = work(entry)
            except BaseException as error:  # noqa: BLE001 - raised again by who asks for the result
                future.set_exception(error)
            else:
                future.set_result(result)

    for number in range(threads):
        threading.Thread(target=serve, name=f"writer-{number}", daemon=True).start()
    try:
        while True:
            for entry in islice(waiting, _AHEAD * threads - len(running)):
                running.append(Future())
                queue.put((running[-1], entry))
            if not running:
                return
            yield running.popleft().result()
    finally:
        for future in running:
            future.cancel()
        for _ in range(threads):
            queue.put(None)
