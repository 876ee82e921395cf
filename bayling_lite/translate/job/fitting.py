"""What a model takes: its languages, and texts that fit its context."""

from __future__ import annotations

from collections.abc import Iterable

from bayling_lite.engine.base import ModelInfo
from bayling_lite.errors import UsageError
from bayling_lite.languages import LANGUAGES, Language, detect_language, find_language
from bayling_lite.translate.checks.scripts import count_scripts, scripts_of
from bayling_lite.translate.segments import DEFAULT_LIMIT
from bayling_lite.translate.sentences import is_wide

_NARROWEST = 40
# A segment, what is said around it, and a translation that may be longer: a third of the context for each.
_SHARE = 3
# A model with less context than this has no room for more than a sentence and what is said of it.
_CONTEXT_FOR_NEIGHBOURS = 2048
# Letters from which on the language of a text is certain: of an alphabet that others share, of a script of its own.
_CERTAIN, _CERTAIN_WIDE = 80, 30
_MOSTLY = 0.7
# Letters of its own script in a text of a language, of all: Chinese may speak of things that have English names.
_OWN_SCRIPT = 0.25


def model_language(name: str | Language, info: ModelInfo) -> Language:
    """A language that the model knows.

    Raises:
        UsageError: no such language, or the model does not know it; the message lists those it knows.
    """
    language = find_language(name) if isinstance(name, str) else name
    known = info.languages
    if known and language not in known:
        names = ", ".join(f"{language.code} ({language.english})" for language in known)
        raise UsageError(
            f"The model {info.name} does not know {language.english}, only {names}. "
            "Choose another language or another model."
        )
    return language


def sentence_limit(info: ModelInfo) -> int:
    """The greatest width of a sentence in columns, so that it, the instruction and the answer fit the context."""
    return min(DEFAULT_LIMIT, whole_limit(info))


def whole_limit(info: ModelInfo) -> int:
    """The greatest width, in columns, of a text that is to be translated in one."""
    return max(_NARROWEST, info.n_ctx // _SHARE)


def follows_context(info: ModelInfo) -> bool:
    """Whether a model makes use of the sentences around one: it was trained with room for them, and is no demonstrator,
    which takes them for something to translate, or writes nonsense.
    """
    room = min(info.n_ctx, info.n_ctx_train or info.n_ctx)
    return room >= _CONTEXT_FOR_NEIGHBOURS and not info.demonstrator


def written_in(text: str, known: Iterable[Language] = LANGUAGES) -> Language | None:
    """The most probable of the languages, which may be all of ours; None where the text has no letter, or hardly one of
    the language's own script: Greek is none of them, however much an identifier of languages finds it like one.
    """
    found = detect_language(text, tuple(known) or LANGUAGES)
    if found is None:
        return None
    counts = count_scripts(text)
    own = sum(counts[script] for script in scripts_of(found))
    return found if own >= _OWN_SCRIPT * counts.total() else None


def is_certainly(text: str, language: Language) -> bool:
    """Whether a text is long enough to be sure, and in this language."""
    letters = [char for char in text if char.isalpha()]
    wide = sum(map(is_wide, letters))
    if language.spaced or language.code == "th":
        return len(letters) >= _CERTAIN and written_in(text) == language
    return wide >= max(_CERTAIN_WIDE, _MOSTLY * len(letters)) and detect_language(text) == language
