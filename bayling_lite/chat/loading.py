"""An engine that loads behind the prompt: usable at once, and whoever needs it first waits for it. Another one may take
its place in the same way.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from bayling_lite.closing import Closing
from bayling_lite.engine.base import Engine, Generation, GenerationRequest, ModelInfo
from bayling_lite.errors import EngineClosed
from bayling_lite.localization import _
from bayling_lite.messages import Conversation

# Short waits, so that a signal is answered while a model of gigabytes is read.
_POLL_SECONDS = 0.1


class BackgroundEngine(Closing):
    """Opens an engine on a thread of its own and is that engine.

    What needs the model waits until it is there, and raises what opening it raised. ``when_ready`` is called from the
    loading thread, when the model is there or has failed; ``when_waiting`` from a thread that has to wait for that.
    ``beside`` is run on a third thread meanwhile; what goes wrong there is said where its result is needed.
    Opening begins at once, or with ``begin=False`` at :meth:`begin`: two threads of Python take turns, so a prompt that
    is to be drawn first is better drawn before.

    :meth:`reopen` opens another engine in its place; ``when_ready`` and ``when_waiting`` are for that one, too.
    """

    def __init__(
        self,
        open_engine: Callable[[], Engine],
        *,
        when_ready: Callable[[], None] | None = None,
        when_waiting: Callable[[], None] | None = None,
        beside: Callable[[], None] | None = None,
        begin: bool = True,
    ) -> None:
        self._open_engine = open_engine
        self._when_ready = when_ready
        self._when_waiting = when_waiting
        self._beside = beside
        self._engine: Engine | None = None
        self._error: BaseException | None = None
        self._refusal: BaseException | None = None
        self._closed = False
        self._newest = 0  # which of the engines asked for is the last; 0 is the first one
        self._settled = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        if begin:
            self.begin()

    def begin(self) -> None:
        """Begin to open it, if that has not begun."""
        with self._lock:
            if self._thread is not None or self._closed:
                return
            self._thread = threading.Thread(target=self._open, name="bayling-model-loader", daemon=True)
            self._thread.start()

    def reopen(self, open_engine: Callable[[], Engine]) -> None:
        """Open another engine, to take the place of this one, which is closed as soon as the other is there.

        What needs the model waits for that from now on, so nothing should be generated at the moment. Where the other
        cannot be opened, this one stays in use, and :meth:`refusal` tells why. For a moment both are in memory.

        Raises:
            EngineClosed: this has been closed.
        """
        self.begin()
        with self._lock:
            before = self._thread
            if self._closed or before is None:
                raise EngineClosed(_("The model was closed while it was loading."))
            self._newest += 1
            self._settled.clear()
            arguments = open_engine, self._newest, before
            self._thread = threading.Thread(
                target=self._open_another, args=arguments, name="bayling-model-loader", daemon=True
            )
            self._thread.start()

    def refusal(self) -> BaseException | None:
        """Why the engine that was to take the place of this one could not be opened. It is told once."""
        with self._lock:
            refusal, self._refusal = self._refusal, None
        return refusal

    def _open(self) -> None:
        try:
            if self._beside is not None:
                threading.Thread(target=_run_beside, args=(self._beside,), daemon=True).start()
            engine = self._open_engine()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the engine is needed
            self._error = error
        else:
            self._take(engine)
        self._settle(0)

    def _open_another(self, open_engine: Callable[[], Engine], number: int, before: threading.Thread) -> None:
        before.join()  # one model at a time
        if number == self._newest and not self._closed:
            try:
                engine = open_engine()
            except BaseException as error:  # noqa: BLE001 - whoever asked for it is told
                with self._lock:
                    if self._engine is None:
                        self._error = error
                    else:
                        self._refusal = error
            else:
                self._take(engine)
        self._settle(number)

    def _take(self, engine: Engine) -> None:
        with self._lock:
            replaced, self._engine = self._engine, engine
            self._error = self._refusal = None
            closed = self._closed
        if closed:
            engine.close()
        if replaced is not None:
            replaced.close()

    def _settle(self, number: int) -> None:
        with self._lock:
            if number != self._newest:  # another one was asked for meanwhile
                return
            self._settled.set()
        if self._when_ready is not None:
            self._when_ready()

    @property
    def ready(self) -> bool:
        """Whether the model is there: nothing waits any more."""
        return self._settled.is_set() and self._engine is not None

    @property
    def loading(self) -> bool:
        """Whether the model is neither there nor known to be unusable, and is on its way."""
        return self._thread is not None and not self._settled.is_set()

    @property
    def error(self) -> BaseException | None:
        """What opening raised, once it has, and there is no engine."""
        return self._error if self._settled.is_set() else None

    def wait(self) -> Engine:
        """The engine, as soon as it is there.

        Raises:
            BaylingError: what opening it raised.
            EngineClosed: closed before it was there.
        """
        self.begin()
        if self._when_waiting is not None and not self._settled.is_set():
            self._when_waiting()
        while not self._settled.wait(_POLL_SECONDS):
            if self._closed:
                raise EngineClosed(_("The model was closed while it was loading."))
        if self._error is not None:
            raise self._error
        if self._engine is None:
            raise EngineClosed(_("The model was closed while it was loading."))
        return self._engine

    @property
    def info(self) -> ModelInfo:
        """The engine's."""
        return self.wait().info

    def submit(self, request: GenerationRequest) -> Generation:
        """The engine's."""
        return self.wait().submit(request)

    def count_tokens(self, conversation: Conversation) -> int:
        """The engine's."""
        return self.wait().count_tokens(conversation)

    def close(self) -> None:
        """Close the engine; one that is still loading is waited for, for native code cannot be left in the middle."""
        with self._lock:
            self._closed = True
            engine = self._engine
        if engine is not None:
            engine.close()
        thread = self._thread
        while thread is not None and thread.is_alive() and thread is not threading.current_thread():
            thread.join(_POLL_SECONDS)


def _run_beside(load: Callable[[], None]) -> None:
    # Whoever needs what it loads will try again, and say what is wrong; here it would be said across the prompt.
    with contextlib.suppress(Exception):
        load()
