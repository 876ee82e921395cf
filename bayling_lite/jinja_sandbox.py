"""Compile and run a model file's own chat template: a program by a stranger, in the Jinja language.

What it sees follows what chat templates are written for, the settings and helpers of transformers
(https://huggingface.co/docs/transformers/chat_templating_writing): ``raise_exception``, ``strftime_now``, a ``tojson``
that escapes no HTML, ``break`` and ``continue``, and the ``generation`` tag.

Jinja's sandbox keeps a template away from Python. It does not keep it from running for ever or from filling the
memory, so here every turn of a loop, every call, and every text and list that a template builds is counted. A list
weighs as much as all that it holds, an item as often as it is in it: so nothing that is done with one later, such as
comparing it or turning it to text, takes long. The limits are far beyond what real templates need.
"""

from __future__ import annotations

import functools
import json
import re
import threading
import time
from collections.abc import Callable, ItemsView, Iterable, KeysView, Mapping, Sequence, ValuesView
from datetime import datetime
from typing import Any

import jinja2
import jinja2.ext
import jinja2.filters
import jinja2.nodes
import jinja2.parser
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

MAX_STEPS = 500_000
MAX_SECONDS = 5.0
MAX_TEXT = 1 << 18  # characters of the source or one text, or weight of one list
MAX_BUILT = 1 << 25  # of all texts and lists together
_WIDEST = 100
_DEEPEST = 32  # lists in lists
_REFERENCE = 8  # what an item of a list weighs beside its characters
# Left out are those whose work or result is as large as a number in the template says, and sum, which can add lists.
_FILTERS = (
    *("abs", "attr", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float", "groupby"),
    *("int", "items", "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse"),
    *("safe", "select", "selectattr", "sort", "string", "title", "trim", "unique", "upper", "wordcount"),
)
_GLOBALS = ("dict", "namespace", "range")
_METHODS_LEFT_OUT = frozenset(
    {"center", "encode", "expandtabs", "ljust", "maketrans", "rjust", "to_bytes", "translate", "zfill"}
)
_LISTS = (list, tuple, set, frozenset, KeysView, ValuesView, ItemsView)
_WEIGHTY = (str, int, Mapping, *_LISTS)
_WIDE_FORMAT = re.compile(r"\d{3}|\*|\{[^{}]*\{")


class TooMuch(SecurityError):
    """A template takes more time or memory than any real one; it would do so again."""


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
        filters.update(tojson=self._to_json, indent=_indent, replace=self._replace, join=self._join_filter)
        self.filters = {name: self._counting(function) for name, function in filters.items()}
        tests: dict[str, Any] = self.tests
        self.tests = {name: self._counting(function) for name, function in tests.items()}
        self.finalize = self.made
        self.globals = {name: self.globals[name] for name in _GLOBALS}
        self.globals.update(raise_exception=_raise, strftime_now=_now)

    def begin(self) -> None:
        """A rendering begins: all counts start anew."""
        self._steps = self._built = 0
        self._deadline = time.monotonic() + MAX_SECONDS

    def build(self, size: int) -> None:
        """Count a text or list before, or when, it is made.

        Raises:
            TooMuch: it is too long, or all of them together are.
        """
        self._built += size
        if size > MAX_TEXT or self._built > MAX_BUILT:
            raise TooMuch(f"it builds texts of {max(size, self._built):,} characters")

    def step(self, text: int = 0) -> bool:
        """Count one turn of a loop or one call, and the ``text`` that it writes; True, to stand in a condition.

        Raises:
            TooMuch: too many, or too much time has passed.
        """
        self._steps += 1
        if self._steps > MAX_STEPS or time.monotonic() > self._deadline:
            raise TooMuch("it does not come to an end")
        self._built += text
        if self._built > MAX_BUILT:
            raise TooMuch(f"it builds texts of {self._built:,} characters")
        return True

    def passed(self, value: Any) -> Any:
        """A value on its way to something that may take time."""
        self.step()
        return value

    def made(self, value: Any) -> Any:
        """A value that was made, or is about to be written."""
        self.step()
        self.build(_weight(value))
        return value

    def concatenated(self, *values: Any) -> str:
        """The operator ``~``."""
        self.step()
        return self._join(values)

    def call(self, context: Context, function: Any, /, *arguments: Any, **options: Any) -> Any:
        """Call a function, macro or method."""
        owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
        if owner is self:  # put there by _Watch
            return function(*arguments)
        self.step()
        if isinstance(owner, str | int):
            if name in _METHODS_LEFT_OUT:
                raise SecurityError(f"it calls {name}")
            if name == "replace" and len(arguments) >= 2:
                return self._replace(owner, *arguments)
            if name == "join" and arguments:
                return self._join(arguments[0], owner)
        if isinstance(function, Macro) and (function.catch_varargs or function.catch_kwargs):
            _weight((arguments, options))
        result = super().call(context, function, *arguments, **options)
        if isinstance(result, _WEIGHTY):
            self.build(_weight(result))
        return result

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """An operator whose result could be without end."""
        self.step()
        if operator == "%" and isinstance(left, str):
            _check_format(left)
            self.build(len(left) + left.count("%") * _weight(right))
        elif operator == "**" and not (_is_small(left) and _is_small(right)):
            raise SecurityError("it raises to a large power")
        elif operator == "*":
            times, sized = (left, right) if isinstance(left, int) else (right, left)
            if isinstance(sized, list | tuple):
                raise SecurityError("it multiplies a list")
            if isinstance(sized, str):
                self.build(len(sized) * max(0, times) if isinstance(times, int) else 0)
            elif not (_is_moderate(left) and _is_moderate(right)):
                raise SecurityError("it multiplies large numbers")
        elif operator == "+" and isinstance(left, str | list | tuple):
            self.build(_weight(left) + _weight(right))
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """``str.format``, which must not pad by much."""
        wrapped = super().wrap_str_format(value)
        if wrapped is None:
            return None
        form: str = value.__self__
        _check_format(form)

        def formatted(*arguments: Any, **options: Any) -> str:
            self.build(len(form) + form.count("{") * _weight((arguments, options)))
            return str(wrapped(*arguments, **options))

        return formatted

    def _counting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def counting(*arguments: Any, **options: Any) -> Any:
            self.step()
            result = function(*arguments, **options)
            if isinstance(result, _WEIGHTY):
                self.build(_weight(result))
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
        texts: list[str] = []
        size, glue = 0, str(between)
        for value in values:
            size += _weight(value) + len(glue)
            if size > MAX_TEXT:
                break
            texts.append(str(value))
        self.build(size)
        return glue.join(texts)

    def _to_json(
        self,
        value: Any,
        ensure_ascii: bool = False,
        indent: int | str | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        width = _DEEPEST * (len(indent) if isinstance(indent, str) else max(0, indent or 0))
        self.build(_weight(value) * (1 + width + sum(map(len, separators or ()))))
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def compile_template(source: str) -> Callable[..., str]:
    """A function that renders the template with the variables it is given as keywords; safe from any thread.

    Rendering raises jinja2.TemplateError for what the template refuses or does wrong, TooMuch for what it exceeds.

    Raises:
        jinja2.TemplateError: the source is not a template.
    """
    sandbox = Sandbox()
    lock = threading.Lock()
    try:
        if len(source) > MAX_TEXT:
            raise TooMuch(f"it is {len(source):,} characters long")
        sandbox.begin()  # constants are worked out at once
        tree = _Watch().visit(sandbox.parse(source))
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


class _Watch(NodeTransformer):
    """Lets whatever takes time or memory go through the sandbox."""

    def visit(self, node: jinja2.nodes.Node, *arguments: Any, **options: Any) -> Any:
        """The node that takes the place of one."""
        self.generic_visit(node, *arguments, **options)
        line = node.lineno
        if isinstance(node, jinja2.nodes.Concat):
            return _through("concatenated", node.nodes, line)
        if isinstance(node, jinja2.nodes.List | jinja2.nodes.Tuple | jinja2.nodes.Dict):
            return node if getattr(node, "ctx", "load") != "load" else _through("made", [node], line)
        if isinstance(node, jinja2.nodes.Compare):
            node.expr = _through("passed", [node.expr], line)
        elif isinstance(node, jinja2.nodes.Slice):
            node.start = _through("passed", [node.start or jinja2.nodes.Const(None, lineno=line)], line)
        elif isinstance(node, jinja2.nodes.For):
            self._count_turns(node)
        return node

    def _count_turns(self, loop: jinja2.nodes.For) -> None:
        line = loop.lineno
        text = sum(len(data.data) for data in loop.find_all(jinja2.nodes.TemplateData))
        turn = _through("step", [jinja2.nodes.Const(text, lineno=line)], line)
        loop.body.insert(0, jinja2.nodes.ExprStmt(turn, lineno=line))
        if loop.test is not None:  # an item that fails it never comes to the body
            loop.test = jinja2.nodes.And(_through("step", [], line), loop.test, lineno=line)


def _through(method: str, arguments: Sequence[jinja2.nodes.Node], line: int) -> jinja2.nodes.Call:
    function = jinja2.nodes.EnvironmentAttribute(method, lineno=line)
    return jinja2.nodes.Call(function, list(arguments), [], None, None, lineno=line)


def _weight(value: Any) -> int:
    """How much text a value may become, and memory take: its characters and all that it holds.

    Raises:
        TooMuch: more than a text may have.
        SecurityError: what it holds can still change.
    """
    weight, left = 0, [(value, 0)]
    while left:
        item, depth = left.pop()
        weight += _REFERENCE
        inside: list[Any] = []
        if isinstance(item, str):
            weight += len(item)
        elif isinstance(item, int):
            weight += item.bit_length() // 3
        elif isinstance(item, Namespace):
            if depth:
                raise SecurityError("it puts a namespace into a list")
            inside = list(object.__getattribute__(item, "_Namespace__attrs").values())
        elif isinstance(item, Mapping):
            inside = [*item.keys(), *item.values()]
        elif isinstance(item, _LISTS):
            inside = list(item)
        if inside and depth == _DEEPEST:
            raise TooMuch("it puts lists into lists too often")
        left += [(each, depth + 1) for each in inside]
        if weight + len(left) * _REFERENCE > MAX_TEXT:
            raise TooMuch(f"it builds texts of more than {MAX_TEXT:,} characters")
    return weight


def _check_format(form: str) -> None:
    if _WIDE_FORMAT.search(form):
        raise SecurityError("it pads a text")


def _is_small(value: object) -> bool:
    return not isinstance(value, int) or abs(value) <= 1000


def _is_moderate(value: object) -> bool:
    return not isinstance(value, int) or value.bit_length() <= 1024


def _indent(text: str, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    if (width if isinstance(width, int) else len(width)) > _WIDEST:
        raise SecurityError("it pads a text")
    return str(jinja2.filters.do_indent(text, width, first, blank))


def _raise(message: str) -> None:
    raise jinja2.TemplateError(message)


def _now(form: str) -> str:
    _check_format(form)
    return datetime.now().strftime(form)  # templates want the user's own day
