"""Going on with another model, in the middle of a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayling_lite.chat import remarks
from bayling_lite.chat.interrupts import interruptible
from bayling_lite.chat.models import FoundModel, Models
from bayling_lite.localization import _

if TYPE_CHECKING:
    from bayling_lite.chat.driver import Driver


class ModelChange:
    """Changes the model of a driver's engine for one of ``models``, and says what comes of it."""

    def __init__(self, driver: Driver, models: Models) -> None:
        self.models = models
        self._driver = driver
        self._coming: FoundModel | None = None

    def begin(self, name: str) -> None:
        """Open the model of a name or a path. Where keys can be pressed meanwhile, it loads behind the prompt; what
        needs the model waits.

        Raises:
            BaylingError: there is none, or the chat cannot open others; or, where it was waited for, it cannot be
                opened.
        """
        found = self.models.find(name)
        self._driver.engine.reopen(found.open)
        self._coming = found
        if not self._driver.screen.has_keys:
            self.wait()

    def wait(self) -> bool:
        """Wait for the model that was asked for, if any was. False when the user ended that.

        Raises:
            BaylingError: it cannot be opened; the one before it stays in use.
        """
        if self._coming is None:
            return True
        with interruptible() as interrupt:
            self._driver.engine.wait()
        if interrupt.asked:
            self._driver.interrupted = True
            self._driver.screen.notice(remarks.stopped_text(None))
            return False
        self.look()
        return True

    def look(self) -> None:
        """Say what became of the model that was asked for, once that is known, and only once.

        Raises:
            BaylingError: it cannot be opened; the one before it stays in use.
        """
        driver, coming = self._driver, self._coming
        if coming is None or driver.engine.loading:
            return
        self._coming = None
        refusal = driver.engine.refusal()
        if refusal is not None:
            raise refusal
        driver.keeping.model_changed(coming.name)
        info = driver.engine.info
        driver.screen.notice(_("Model: {model}", model=info.name))
        driver.warn_once(remarks.unknown_language_text(driver.session.preferences.target, info))
