"""The models folder: what lies there, where it came from, and whether it is still what came.

Catalogue models lie in it as ``<name>.<TYPE>.gguf``, those of other repositories as ``OWNER/NAME/<file>.gguf``; GGUF
files of the user's own may lie beside them. Beside each model that was pulled stands its record, ``<file>.gguf.json``.
What is pulled at the moment, or was when it was interrupted, is in the hidden folder ``.pull``.

::

    folder     what is in it, under which names; removing
    record     where a model came from, and what it was then
    check      whether it still is
    leftovers  what a pull leaves when it is interrupted
"""

from __future__ import annotations

from bayling_lite.registry.check import Progress, file_sha256, verify
from bayling_lite.registry.folder import LocalModel, Registry, working_in
from bayling_lite.registry.leftovers import bytes_left, disk_usage, remember, remembered
from bayling_lite.registry.record import Record, read_record, record_path, write_record

__all__ = [
    "LocalModel",
    "Progress",
    "Record",
    "Registry",
    "bytes_left",
    "disk_usage",
    "file_sha256",
    "read_record",
    "record_path",
    "remember",
    "remembered",
    "verify",
    "working_in",
    "write_record",
]
