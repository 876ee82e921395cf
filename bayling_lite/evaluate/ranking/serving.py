"""Serving the ranking page: on this machine alone, or on a network with a token in the address."""

from __future__ import annotations

import errno
import os
import socket

from bayling_lite.errors import UsageError
from bayling_lite.evaluate.ranking.guarding import Guard, is_loopback
from bayling_lite.evaluate.ranking.store import StudyStore
from bayling_lite.reasons import reason

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8410
_PORTS_TO_TRY = 20
_GRACE_SECONDS = 2


class RankingServer:
    """A study's page at a host and a port: the one named, or without a name the first free one from 8410.

    Raises:
        UsageError: the host is not this machine's, the port is in use, or the server's packages are missing.
        InputError: the study was not begun.
    """

    def __init__(self, store: StudyStore, *, host: str = DEFAULT_HOST, port: int | None = None) -> None:
        try:
            import uvicorn

            from bayling_lite.evaluate.ranking.app import RankingApp
        except ImportError as error:
            raise UsageError(
                f"The ranking page needs a package that is not installed ({error.name}). "
                "pip install 'bayling-lite[evaluate]' brings it."
            ) from error
        self._token = "" if is_loopback(host) else store.needed().token
        app = RankingApp(store, Guard(self._token))
        self._host = host
        self._socket = listening(host, port)
        config = uvicorn.Config(
            app.asgi,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        self._server = uvicorn.Server(config)

    @property
    def wants_token(self) -> bool:
        """Whether others than those at this machine can reach the page."""
        return bool(self._token)

    @property
    def address(self) -> str:
        """What people type, or click on, with the token where one is needed."""
        port = self._socket.getsockname()[1]
        host = _shown_host(self._host)
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/" + (
            f"?token={self._token}" if self._token else ""
        )

    def run(self) -> None:
        """Serve until Ctrl-C, which raises KeyboardInterrupt, or :meth:`stop`."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """End :meth:`run` soon. From any thread."""
        self._server.should_exit = True


def listening(host: str, port: int | None) -> socket.socket:
    """A socket at a port; without one, at the first free one from 8410, else at any.

    Raises:
        UsageError: the port is in use, or may not be used; or there is no such host here.
    """
    ports = [*range(DEFAULT_PORT, DEFAULT_PORT + _PORTS_TO_TRY), 0] if port is None else [port]
    try:
        family, *_rest = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise UsageError(
            f"There is no host {host}: {reason(error)}. --host 0.0.0.0 is every address of this machine."
        ) from error
    for each in ports:
        try:
            return _bound(family, host, each)
        except OSError as error:
            if port is None and error.errno == errno.EADDRINUSE:
                continue
            if error.errno == errno.EADDRNOTAVAIL:
                raise UsageError(
                    f"{host} is no address of this machine. --host 0.0.0.0 is every address that it has."
                ) from error
            remedy = "Name another --port, or none, and a free one is found."
            raise UsageError(f"The port {each} of {host} cannot be used: {reason(error)}. {remedy}") from error
    raise UsageError(f"No port of {host} is free.")


def _bound(family: int, host: str, port: int) -> socket.socket:
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A port that was served a moment ago can be used again; on Windows the same option would share it.
        if os.name != "nt":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(128)
    except OSError:
        found.close()
        raise
    return found


def _shown_host(host: str) -> str:
    """The host as others reach it: for all addresses of this machine, the one it has on its network."""
    if host not in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: connecting a datagram socket only looks up which address would be used.
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
