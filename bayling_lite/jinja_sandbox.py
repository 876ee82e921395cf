"""Compile and run a model file's own chat template: a program by a stranger, in the Jinja language.

What it sees follows what chat templates are written for, the settings and helpers of transformers
(https://huggingface.co/docs/transformers/chat_templating_writing): ``raise_exception``, ``strftime_now``, a ``tojson``
that escapes no HTML, ``break`` and ``continue``, and the ``generation`` tag.

Jinja's sandbox keeps a template away from Python. It does not keep it from running for ever or from filling the
memory, so here every turn of a loop, every call and every text that a template builds is counted. The limits are
far beyond what real templates need.
"""

from __future__ import annotations

import functools
import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import jinja2
import jinja2.ext
import jinja2.filters
import jinja2.nodes
import jinja2.parser
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_STEPS = 500_000
MAX_SECONDS = 5.0
MAX_TEXT = 1 << 18  # characters of one text, or items of one list
MAX_BUILT = 1 << 25  # characters of all texts together
_WIDEST = 100
# Left out are those whose work or result is as large as a number in the template says.
_FILTERS = (
    *("abs", "attr", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float", "groupby"),
    *("int", "items", "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse"),
    *("safe", "select", "selectattr", "sort", "string", "sum", "title", "trim", "unique", "upper", "wordcount"),
)
_GLOBALS = ("dict", "namespace", "range")
_METHODS_LEFT_OUT = frozenset(
    {"center", "encode", "expandtabs", "ljust", "maketrans", "rjust", "to_bytes", "translate", "zfill"}
)
_SIZED = (str, list, tuple)
_WIDE_FORMAT = re.compile(r"\d{3}|\*|\{[^{}]*\{")


class _Generation(jinja2.ext.Extension):
    """``{% generation %}...{% endgeneration %}``: marks the assistant's words for training; nothing here."""

    tags = {"generation"}  # noqa: RUF012 - the base class has it so

    def parse(self, parser: jinja2.parser.Parser) -> list[jinja2.nodes.Node]:
        """Give the content in the place of the tag."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja for one chat template, with limits. One rendering at a time; see :func:`compile_template`."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, jinja2.ext.loopcontrols])
        self._steps = self._built = 0
        self._deadline = 0.0
        filters = {name: self.filters[name] for name in _FILTERS}
        filters.update(tojson=_to_json, indent=_indent, replace=self._replace, join=self._join_filter)
        self.filters = {name: self._counting(function) for name, function in filters.items()}
        self.globals = {name: self.globals[name] for name in _GLOBALS}
        self.globals.update(raise_exception=_raise, strftime_now=_now)

    def begin(self) -> None:
        """A rendering begins: all counts start anew."""
        self._steps = self._built = 0
        self._deadline = time.monotonic() + MAX_SECONDS

    def build(self, size: int) -> None:
        """Count a text or list before, or when, it is made.

        Raises:
            SecurityError: it is too long, or all of them together are.
        """
        self._built += size
        if size > MAX_TEXT or self._built > MAX_BUILT:
            raise SecurityError(f"it builds texts of {max(size, self._built):,} characters")

    def step(self) -> None:
        """Count one turn of a loop or one call.

        Raises:
            SecurityError: too many, or too much time has passed.
        """
        self._steps += 1
        if self._steps > MAX_STEPS or time.monotonic() > self._deadline:
            raise SecurityError("it does not come to an end")

    def watched(self, items: Iterable[Any]) -> Iterator[Any]:
        """The items of a loop, each counted."""
        for item in items:
            self.step()
            yield item

    def concatenated(self, *values: Any) -> str:
        """The operator ``~``."""
        return self._join(values)

    def call(self, context: Context, function: Any, /, *arguments: Any, **options: Any) -> Any:
        """Call a function, macro or method."""
        self.step()
        owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
        if isinstance(owner, str | int):
            if name in _METHODS_LEFT_OUT:
                raise SecurityError(f"it calls {name}")
            if name == "replace" and len(arguments) >= 2:
                return self._replace(owner, *arguments)
            if name == "join" and arguments:
                return self._join(arguments[0], owner)
        result = super().call(context, function, *arguments, **options)
        if isinstance(result, str):
            self.build(len(result))
        return result

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """An operator whose result could be without end."""
        if operator == "%" and isinstance(left, str):
            _check_format(left)
        elif operator == "**" and not (_is_small(left) and _is_small(right)):
            raise SecurityError("it raises to a large power")
        elif operator == "*":
            times, sized = (left, right) if isinstance(left, int) else (right, left)
            if isinstance(sized, _SIZED):
                self.build(len(sized) * max(0, times) if isinstance(times, int) else 0)
            elif not (_is_moderate(left) and _is_moderate(right)):
                raise SecurityError("it multiplies large numbers")
        elif operator == "+" and isinstance(left, _SIZED) and isinstance(right, _SIZED):
            self.build(len(left) + len(right))
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """``str.format``, which must not pad by much."""
        wrapped = super().wrap_str_format(value)
        if wrapped is not None:
            _check_format(value.__self__)
        return wrapped

    def _counting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def counting(*arguments: Any, **options: Any) -> Any:
            result = function(*arguments, **options)
            if isinstance(result, str):
                self.build(len(result))
            return result

        return counting

    def _replace(self, text: Any, old: Any, new: Any, count: int | None = None) -> str:
        whole, before, after = str(text), str(old), str(new)
        self.build(len(whole) + whole.count(before) * len(after))
        return whole.replace(before, after, -1 if count is None else count)

    def _join_filter(self, values: Any, between: Any = "", attribute: Any = None) -> str:
        if attribute is not None:
            values = map(jinja2.filters.make_attrgetter(self, attribute), values)
        return self._join(values, between)

    def _join(self, values: Iterable[Any], between: Any = "") -> str:
        texts = [str(value) for value in values]
        self.build(sum(map(len, texts)) + len(texts) * len(str(between)))
        return str(between).join(texts)


def compile_template(source: str) -> Callable[..., str]:
    """A function that renders the template with the variables it is given as keywords; safe from any thread.

    Rendering raises jinja2.TemplateError for what the template refuses, does wrong, or exceeds.

    Raises:
        jinja2.TemplateError: the source is not a template.
    """
    sandbox = Sandbox()
    lock = threading.Lock()
    try:
        tree = sandbox.parse(source)
        _watch(tree)
        template = sandbox.from_string(tree)
    except (RecursionError, MemoryError, OverflowError, SyntaxError, ValueError) as error:
        raise jinja2.TemplateError(f"it is no template ({type(error).__name__})") from None

    def render(**variables: Any) -> str:
        with lock:
            sandbox.begin()
            try:
                pieces = []
                for piece in template.generate(**variables):
                    sandbox.build(len(piece))
                    pieces.append(piece)
            except jinja2.TemplateError:
                raise
            except Exception as error:  # whatever a stranger's program does wrong
                raise jinja2.TemplateError(f"{type(error).__name__}: {error}") from error
            return "".join(pieces)

    return render


def _watch(tree: jinja2.nodes.Template) -> None:
    """Let loops and concatenations go through the sandbox."""
    for loop in list(tree.find_all(jinja2.nodes.For)):
        if not loop.recursive:
            loop.iter = _through("watched", [loop.iter], loop.lineno)
    for parent in [tree, *tree.find_all(jinja2.nodes.Node)]:
        for field in parent.fields:
            value = getattr(parent, field)
            if isinstance(value, jinja2.nodes.Concat):
                setattr(parent, field, _through("concatenated", value.nodes, value.lineno))
            elif isinstance(value, list):
                for index, item in enumerate(value):
                    if isinstance(item, jinja2.nodes.Concat):
                        value[index] = _through("concatenated", item.nodes, item.lineno)


def _through(method: str, arguments: Sequence[jinja2.nodes.Node], line: int) -> jinja2.nodes.Call:
    function = jinja2.nodes.EnvironmentAttribute(method, lineno=line)
    return jinja2.nodes.Call(function, list(arguments), [], None, None, lineno=line)


def _check_format(form: str) -> None:
    if _WIDE_FORMAT.search(form):
        raise SecurityError("it pads a text")


def _is_small(value: object) -> bool:
    return not isinstance(value, int) or abs(value) <= 1000


def _is_moderate(value: object) -> bool:
    return not isinstance(value, int) or value.bit_length() <= 1024


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    if isinstance(indent, int) and indent > _WIDEST:
        raise SecurityError("it pads a text")
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _indent(text: str, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    if (width if isinstance(width, int) else len(width)) > _WIDEST:
        raise SecurityError("it pads a text")
    return str(jinja2.filters.do_indent(text, width, first, blank))


def _raise(message: str) -> None:
    raise jinja2.TemplateError(message)


def _now(form: str) -> str:
    _check_format(form)
    return datetime.now().strftime(form)  # templates want the user's own day
