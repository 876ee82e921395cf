"""Nobody is at the address, or somebody else than a server of this protocol."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from bayling_lite.engine.remote.address import Address
from bayling_lite.engine.remote.http import is_slow_connection, words_of
from bayling_lite.errors import EngineError


def unreachable(address: Address, error: Exception) -> EngineError:
    """The error when nobody is there, or somebody who cannot show who it is."""
    if doubt := _doubt(error):
        return EngineError(
            f"{address} cannot be trusted: its certificate is not accepted ({address.clean(doubt)}). Name the file of "
            "the authority that signed it, such as your organization's, in SSL_CERT_FILE."
        )
    reason = "no connection in time" if is_slow_connection(error) else address.clean(_why(error))
    return EngineError(f"{address} cannot be reached ({reason.rstrip('.')}). Is it running, and is the address right?")


def nonsense(address: Address) -> EngineError:
    """The error when somebody else is there."""
    return EngineError(
        f"{address} does not speak OpenAI's protocol. Does the address end as its manual says, mostly in /v1?"
    )


def _why(error: BaseException) -> str:
    """The system's words for what the client could not do, where it passes them on; else the client's."""
    said = str(error) or type(error).__name__
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.strerror:
            said = words_of(cause)
    return said


def _doubt(error: BaseException) -> str:
    """What is wrong with the server's certificate, empty where that is not why it cannot be reached."""
    found = (cause for cause in _causes(error) if isinstance(cause, ssl.SSLCertVerificationError))
    return next((cause.verify_message or "not valid" for cause in found), "")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What led to an error, the nearest first."""
    cause = error.__cause__ or error.__context__
    while cause is not None:
        if isinstance(cause, BaseExceptionGroup):  # of one host's several addresses
            cause = cause.exceptions[0]
        yield cause
        cause = cause.__cause__ or cause.__context__
