"""Options about terms and style that several commands share, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bayling_lite.errors import InputError, UsageError
from bayling_lite.localization import _, noted
from bayling_lite.reasons import reason

if TYPE_CHECKING:
    from bayling_lite.languages import Language
    from bayling_lite.translate.glossary import Term

Function = TypeVar("Function", bound=Callable[..., Any])

_LONGEST_CONTEXT = 1_000_000


def term_options(function: Function) -> Function:
    """``--term`` and ``--glossary``: the parameters ``terms`` and ``glossaries``."""
    function = click.option(
        "--glossary",
        "glossaries",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=noted("Terms of a TSV or CSV file: word, translation, note. --term overrules them. Repeatable."),
    )(function)
    return click.option(
        "--term",
        "terms",
        multiple=True,
        metavar="SRC=TGT",
        help=noted(
            "TGT stands where SRC occurs: searched for where the model can be searched, else asked for. Repeatable."
        ),
    )(function)


def manner_options(function: Function) -> Function:
    """``--formality``, ``--style`` and ``--context``; the latter two are texts, empty where nothing is said."""
    function = click.option(
        "--context",
        default="",
        metavar="TEXT|@FILE",
        help=noted("What the texts are about, which helps with each."),
    )(function)
    function = click.option(
        "--style",
        default="",
        metavar="TEXT",
        help=noted('How to write, in a few words: "plain, short sentences".'),
    )(function)
    return click.option(
        "--formality", type=click.Choice(("formal", "informal")), help=noted("How readers are addressed.")
    )(function)


def typed_terms(typed: Iterable[str]) -> tuple[Term, ...]:
    """The terms of ``--term``.

    Raises:
        UsageError: one without ``=``, or a word with two translations.
    """
    from bayling_lite.translate.glossary import check_terms

    return check_terms(map(_term, typed))


def all_terms(typed: Iterable[str], glossaries: Iterable[Path], target: Language) -> tuple[Term, ...]:
    """The terms of ``--term`` and, where those say nothing else, of glossaries.

    Raises:
        UsageError: see :func:`typed_terms`; or two glossaries disagree.
        InputError: a glossary cannot be read.
    """
    from bayling_lite.translate.glossary_file import joined_terms, load_glossary

    return joined_terms([load_glossary(path).into(target) for path in glossaries], typed_terms(typed))


def context_file(text: str) -> tuple[Path, ...]:
    """The file that ``--context`` names, if it names one."""
    return (Path(text[1:]),) if text.startswith("@") else ()


def context_text(text: str) -> str:
    """The text of ``--context`` itself, or with ``@`` before it what is in a file.

    Raises:
        InputError: the file cannot be read, is too long, or is no text.
    """
    from bayling_lite.translate.formats import Source
    from bayling_lite.translate.formats.decoding import decode

    if not (named := context_file(text)):
        return text.strip()
    path = named[0]
    try:
        if path.stat().st_size > _LONGEST_CONTEXT:
            raise InputError(_("{path} is too long to be told with every sentence.", path=path))
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(_("{path} cannot be read: {reason}.", path=path, reason=reason(error))) from error
    try:
        return decode(Source(str(path), data)).text.removeprefix("\ufeff").strip()
    except InputError as error:
        raise InputError(_("{path} is not text that can be recognised: save it as UTF-8.", path=path)) from error


def _term(text: str) -> Term:
    source, equals, target = (part.strip() for part in text.partition("="))
    if not (source and equals and target):
        raise UsageError(_("--term wants SOURCE=TARGET, for example --term token=词元, not {text!r}.", text=text))
    return source, target
