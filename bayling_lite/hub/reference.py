"""How a person names a repository: ``hf://OWNER/NAME@REVISION`` or ``OWNER/NAME:Q4_K_M``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bayling_lite.errors import UsageError
from bayling_lite.terminal import printable

SCHEME = "hf://"

# What the hub allows in the two halves of a name; it forbids "--" and ".." in them as well.
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?")
# What git allows in a branch's or tag's name (git-check-ref-format), except for the rarer characters.
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+-]{0,250}")
_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,40}")
_WEB_ADDRESS = re.compile(r"https?://[^/]+/(?P<repository>[^/]+/[^/?#]+)")


@dataclass(frozen=True, slots=True)
class Reference:
    """A repository on the hub; ``revision`` is a branch, tag or commit, ``file_type`` like ``Q4_K_M``."""

    repository: str
    revision: str | None = None
    file_type: str | None = None


def parse_reference(text: str) -> Reference:
    """Read ``[hf://]OWNER/NAME[@REVISION][:TYPE]``.

    Raises:
        UsageError: it is not of that form.
    """
    address = _WEB_ADDRESS.match(text)
    if address:
        raise UsageError(
            f"{_shown(text)} is a web address; write hf://{printable(address['repository'], keep='')} instead."
        )
    rest, colon, file_type = text.removeprefix(SCHEME).partition(":")
    repository, at, revision = rest.partition("@")
    if colon and not _TYPE.fullmatch(file_type):
        raise UsageError(f"{_shown(text)}: a quantization is wanted after the colon, like OWNER/NAME:Q4_K_M.")
    if at:
        check_revision(revision)
    check_repository(repository)
    return Reference(repository, revision or None, file_type or None)


def check_repository(name: str) -> None:
    """See that a repository's name is one that the hub can have.

    Raises:
        UsageError: it is not.
    """
    owner, slash, own = name.partition("/")
    if not slash:
        raise UsageError(f"{_shown(name)} names no repository; write OWNER/NAME, like ICTNLP/bayling-2-7b.")
    if not (_NAME.fullmatch(owner) and _NAME.fullmatch(own)) or re.search(r"--|\.\.", name) or len(name) > 96:
        raise UsageError(
            f"{_shown(name)} names no model repository; write OWNER/NAME, like ICTNLP/bayling-2-7b, without a file, "
            "a folder or a kind before it."
        )


def check_revision(revision: str) -> None:
    """See that a revision can be a branch, a tag or a commit.

    Raises:
        UsageError: it cannot; it might lead out of the folder that caches remember it in.
    """
    if not _REVISION.fullmatch(revision) or ".." in revision or "//" in revision or revision.endswith(("/", ".")):
        raise UsageError(f"{_shown(revision)} is no revision; write the name of a branch or a tag, or a commit.")


def _shown(text: str) -> str:
    return repr(printable(text, keep=""))
