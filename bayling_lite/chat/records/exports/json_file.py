"""Sessions as JSON: everything that is kept of them, and back again.

One object: ``format`` and ``version`` of the file, the ``program`` that wrote it, and ``sessions``. A session has its
``id``, ``title``, ``model``, times (``created``, ``changed``: seconds since 1970), the ``preferences`` in force, the
``position`` where it stands and all ``turns`` of its tree, each naming its ``parent``; a turn has its ``plan``, its
``state``, its ``answer``, the ``conversation`` that the model saw and, for a translation, the ``draft`` with its
``segments``. The program's version is that of the one that wrote the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bayling_lite import __version__
from bayling_lite.chat.records.codec import turn_from_json, turn_json
from bayling_lite.chat.records.fields import fields_json, from_fields, seconds_from_json, text_from_json
from bayling_lite.chat.records.values import StoredSession, placed
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.recording import Position
from bayling_lite.errors import InputError
from bayling_lite.localization import _
from bayling_lite.reasons import reason

FORMAT = "bayling-sessions"
VERSION = 1
# A session of years has some megabytes; what is larger is something else.
_MOST_BYTES = 500_000_000
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def dump(sessions: Iterable[StoredSession]) -> str:
    """The sessions as the text of a file."""
    value = {
        "format": FORMAT,
        "version": VERSION,
        "program": f"bayling-lite {__version__}",
        "sessions": [_session_json(session) for session in sessions],
    }
    # Any text can be typed, also halves of characters, which no file can hold: those are escapes.
    text = json.dumps(value, ensure_ascii=False, indent=1)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def read(path: Path) -> tuple[StoredSession, ...]:
    """The sessions of a file.

    Raises:
        InputError: it cannot be read, is not such a file, is damaged, or was written by a newer bayling-lite.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(_("{path} is no saved session: it is too large.", path=path))
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(_("{path} cannot be read: {reason}.", path=path, reason=reason(error))) from error
    try:
        return parse(text)
    except InputError as error:
        raise InputError(_("{path} cannot be loaded: {reason}", path=path, reason=error)) from error


def parse(text: str) -> tuple[StoredSession, ...]:
    """The sessions of a file's text.

    Raises:
        InputError: see :func:`read`.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(_("it is not JSON ({reason}).", reason=error)) from error
    if not isinstance(value, dict) or value.get("format") != FORMAT or not isinstance(value.get("sessions"), list):
        raise InputError(_("it is no session that /save or `bayling sessions export` has written."))
    version = value.get("version")
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise InputError(_("it was written by a newer bayling-lite. Update bayling-lite to read it."))
    return tuple(map(_session, value["sessions"]))


def _session_json(session: StoredSession) -> dict[str, Any]:
    return {
        "id": session.id,
        "title": session.title,
        "model": session.model,
        "created": session.created,
        "changed": session.changed,
        "preferences": fields_json(session.preferences),
        "position": fields_json(session.position),
        "turns": [turn_json(turn) for turn in session.turns],
    }


def _session(value: Any) -> StoredSession:
    try:
        turns = [turn_from_json(turn) for turn in value["turns"]]
        if len({turn.id for turn in turns}) < len(turns):
            raise ValueError("two turns with one id")
        position = from_fields(Position, _object(value["position"]))
        return StoredSession(
            id=text_from_json(value["id"]),
            title=text_from_json(value["title"]),
            model=text_from_json(value["model"]),
            created=seconds_from_json(value["created"]),
            changed=seconds_from_json(value["changed"]),
            preferences=from_fields(Preferences, _object(value["preferences"])),
            position=position,
            turns=placed(turns, position.head),
        )
    except KeyError as error:
        raise InputError(_("it is damaged: there is no {name}.", name=error)) from error
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InputError(_("it is damaged ({reason}).", reason=error)) from error


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"an object is wanted, not {value!r:.40}")
    return value
