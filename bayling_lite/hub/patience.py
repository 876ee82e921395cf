"""How long and how often the network is tried, and what is lost when a process is killed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from huggingface_hub import constants

from bayling_lite.errors import HubError

T = TypeVar("T")

Notice = Callable[[str], None]
"""Told in a few words what is being asked or waited for."""

PART = 16 * 1024 * 1024


class Transient(Exception):
    """A try failed in a way that another may not.

    ``wait`` is how many seconds the server asks to be left alone; ``answered`` tells that it was reached, but refused.
    """

    def __init__(self, reason: str, wait: float | None = None, *, answered: bool = False) -> None:
        self.wait = wait
        self.answered = answered
        super().__init__(reason)


class Unreachable(HubError):
    """There was no answer, or no good one, however often it was tried."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Bytes, seconds and numbers of tries.

    ``part`` bounds what a killed process has to fetch again: each connection asks for a share of it at a time, and what
    has come of a share is on record before the next is asked for. ``stall`` is how long a connection may be silent.
    ``tries`` failures without a byte in between are the end; between them the waits double from ``first_wait`` to
    ``longest_wait``. A server that asks for more than ``longest_asked_wait`` is not waited for. ``notice`` hears what
    is being waited for, in the thread that waits.
    """

    part: int = PART
    connections: int = 4
    stall: float = field(default_factory=lambda: float(constants.HF_HUB_DOWNLOAD_TIMEOUT))
    tries: int = 8
    first_wait: float = 0.5
    longest_wait: float = 30.0
    longest_asked_wait: float = 120.0
    notice: Notice | None = None

    @property
    def share(self) -> int:
        """Bytes that one connection asks for at a time."""
        return max(1, self.part // self.connections)

    def wait(self, failures: int, asked: float | None = None) -> float:
        """Seconds to wait after so many failures in a row, at least as long as the server asked for.

        The waits are spread by chance, so that many clients of a server that was down do not come back at once.
        """
        wait = min(self.longest_wait, self.first_wait * 2.0 ** min(failures - 1, 60))
        return max(wait * random.uniform(0.5, 1.0), asked or 0.0)  # noqa: S311 - nothing secret about it

    def ends(self, failures: int, asked: float | None = None) -> bool:
        """Whether it is time to give up."""
        return failures >= self.tries or (asked is not None and asked > self.longest_asked_wait)

    def tell(self, text: str) -> None:
        """Let whoever waits know what for."""
        if self.notice is not None:
            self.notice(text)

    def waiting(self, host: str, failures: int) -> str:
        """``waiting for HOST, attempt 2 of 8``."""
        return f"waiting for {host}" + (f", attempt {failures + 1} of {self.tries}" if failures else "")

    def persist(self, attempt: Callable[[], T], what: str, host: str) -> T:
        """Try until it works; what of it has come by then is not kept.

        Raises:
            Unreachable: it does not.
        """
        failures = 0
        while True:
            try:
                return attempt()
            except Transient as error:
                failures += 1
                if self.ends(failures, error.wait):
                    raise gave_up(what, error) from error
                wait = self.wait(failures, error.wait)
            self.tell(self.waiting(host, failures))
            time.sleep(wait)


def gave_up(what: str, error: Transient, *, kept: bool = False) -> Unreachable:
    """The error when there is no use in trying on; ``kept`` where what has come is."""
    if error.wait:
        remedy = f"The hub asks to come back in {error.wait:.0f} seconds: run the same command again then"
    elif error.answered:
        remedy = "The hub has trouble of its own, or is asked too much: run the same command again later"
    else:
        remedy = "Check the connection, and HF_ENDPOINT or the proxy if one is set, then run the same command again"
    return Unreachable(f"{what} could not be fetched: {error}. {remedy}{'; what has come is kept' if kept else ''}.")
