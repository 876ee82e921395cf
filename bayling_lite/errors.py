"""Every error bayling-lite raises on purpose.

::

    BaylingError
    ├── UsageError            the caller asked for something that cannot be (unknown language, bad option)
    ├── InputError            a document cannot be read (missing, binary, wrong encoding)
    ├── OutputError           a result cannot be written (exists, no permission, disk full)
    ├── ModelError            a model cannot be used
    │   ├── ModelNotFound     no such model here, and none may be fetched
    │   └── ModelUnreadable   the file is not a GGUF, is truncated, or is of an unsupported kind
    ├── CheckpointError       a Hugging Face checkpoint cannot be used (missing files, not LLaMA)
    ├── HubError              the hub does not give what was asked for (no such repository, no access, no connection)
    │   └── ChecksumMismatch  what came is not what the hub has on record
    ├── JobCancelled          a document's translation was cancelled; what is finished is kept
    ├── RecipeError           a training recipe or its data cannot be used
    └── EngineError           generating failed
        ├── ContextOverflow   the request does not fit the context; says by how many tokens
        ├── PhrasesDoNotFit   the required phrases cannot all appear within the tokens there are
        ├── RequestRefused    a server does not take this one request (others may go well): its content filter objects
        ├── ServerTimeout     a server gave nothing for as long as it had
        └── EngineClosed      the engine was closed

Only the command line prints and exits; the library raises these. The message is one plain sentence or two that
name the remedy, fit to be shown to a user as it is.
"""

from __future__ import annotations


class BaylingError(Exception):
    """Base of all errors raised on purpose; ``str(error)`` is fit to be shown to a user.

    ``exit_status`` is what the command line exits with: 1 failed, 2 usage, 4 model not available, 5 checksum mismatch,
    130 cancelled.
    """

    exit_status = 1


class UsageError(BaylingError):
    """The caller asked for something that cannot be."""

    exit_status = 2


class InputError(BaylingError):
    """A document cannot be read."""


class OutputError(BaylingError):
    """A result cannot be written."""


class ModelError(BaylingError):
    """A model cannot be used."""


class ModelNotFound(ModelError):
    """No such model on this machine, and none may be fetched."""

    exit_status = 4


class ModelUnreadable(ModelError):
    """The model file is not a GGUF, is truncated, or is of an unsupported kind."""


class CheckpointError(BaylingError):
    """A Hugging Face checkpoint cannot be used."""


class HubError(BaylingError):
    """The hub does not give what was asked for."""


class ChecksumMismatch(HubError):
    """What came from the hub is not what it has on record."""

    exit_status = 5


class JobCancelled(BaylingError):
    """The translation of a document was cancelled. What is finished is in the store, if there is one."""

    exit_status = 130


class RecipeError(BaylingError):
    """A training recipe, or the data it names, cannot be used."""


class EngineError(BaylingError):
    """Generating failed."""


class ContextOverflow(EngineError):
    """A request does not fit the model's context.

    Attributes are counted in tokens: ``n_prompt`` of the prompt, ``n_ctx`` of the context; 0 where a server does not
    say. ``message`` replaces the usual one.
    """

    def __init__(self, n_prompt: int, n_ctx: int, message: str = "") -> None:
        self.n_prompt = n_prompt
        self.n_ctx = n_ctx
        super().__init__(
            message
            or f"The prompt has {n_prompt} tokens, the context holds {n_ctx}: "
            f"{n_prompt - n_ctx + 1} too many to leave room for an answer. "
            "Shorten the text, drop older turns, or open the model with a larger context."
        )


class PhrasesDoNotFit(EngineError):
    """The phrases that a text must have cannot all be written within the tokens there are for it."""


class RequestRefused(EngineError):
    """A server does not take this one request: its content filter objects, or it calls the text invalid or too large.

    Others may go well: the server is there, and it knows the model and the key. ``reason`` is what the server gave.
    """

    def __init__(self, message: str, reason: str = "") -> None:
        self.reason = reason or message
        super().__init__(message)


class ServerTimeout(EngineError):
    """A server took the request and gave nothing, or nothing more, for as long as it had. Later it may go well."""


class EngineClosed(EngineError):
    """The engine was closed while, or before, it was asked to generate."""
