"""Why the operating system refused something, in the language of the interface."""

from __future__ import annotations

from bayling_lite.localization import _, noted

# What POSIX systems and the C library of Windows say of the failures that people meet.
_USUAL = (
    noted("No such file or directory"),
    noted("Permission denied"),
    noted("Operation not permitted"),
    noted("Is a directory"),
    noted("Not a directory"),
    noted("File exists"),
    noted("File name too long"),
    noted("No space left on device"),
    noted("Disk quota exceeded"),
    noted("Read-only file system"),
    noted("Input/output error"),
    noted("Exec format error"),
    noted("Invalid argument"),
)


def reason(error: BaseException) -> str:
    """The system's words for a failure, translated where they are usual ones; of another error, its own."""
    return _(getattr(error, "strerror", None) or str(error))
