"""A pickle read as data: what it says is taken down, and nothing it asks for is run.

A pickle is a program for a small stack machine that can import and call any Python function. The one here has the
instructions that a dictionary of tensors needs (https://docs.python.org/3/library/pickletools.html lists them all).
Where Python's own would call a function, it notes the function's name and arguments, as a :class:`Call`; where a name
is not among those expected, it stops. Memory is bounded by the number of instructions, because no instruction here
copies what another has made.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass

LARGEST = 16 * 1024 * 1024
"""Bytes of the largest pickle that is read: real ones stay below 1 MB."""
_MOST_INSTRUCTIONS = 500_000
_ORDERED_DICT = "collections.OrderedDict"

_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_VALUES = frozenset(
    {"BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
    | {"BINSTRING", "SHORT_BINSTRING"}  # what Python 2 wrote for names
)
_SHORT_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class UnsafePickle(Exception):
    """The pickle asks for a function that no dictionary of tensors needs; the argument is its full name."""


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """A class, function or constant of a module, by its full name: ``torch.FloatStorage``."""

    full: str


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A call that the pickle asks for, and that has not been made."""

    function: Name
    arguments: tuple[object, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Something that is stored outside the pickle, by what the pickle calls it."""

    key: object


def read_pickle(data: bytes, allowed: Callable[[str], bool]) -> object:
    """What a pickle describes: dictionaries, lists, tuples, scalars, and the three kinds of notes above.

    ``collections.OrderedDict`` becomes a dictionary. What is set on an object afterwards is left out.

    Args:
        data: the pickle.
        allowed: says whether a full name may stand in it; that of the ordered dictionary always may.

    Raises:
        UnsafePickle: it asks for something else.
        ValueError: it is damaged, too long, or has an instruction that is not known here.
    """
    if len(data) > LARGEST:
        raise ValueError("it is too long")
    machine = _Machine(allowed)
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if count >= _MOST_INSTRUCTIONS:
                raise ValueError("it has too many instructions")
            if opcode.name == "STOP":
                return machine.pop()
            machine.do(opcode.name, argument)
    except (IndexError, KeyError, TypeError, OverflowError) as error:
        raise ValueError("it takes what it never put down") from error
    raise ValueError("it has no end")


class _Machine:
    """The stack, the memo, and the instructions."""

    def __init__(self, allowed: Callable[[str], bool]) -> None:
        self._allowed = allowed
        self._stack: list[object] = []
        self._marks: list[int] = []
        self._memo: dict[int, object] = {}
        self._instructions: dict[str, Callable[[], None]] = {
            "MARK": lambda: self._marks.append(len(self._stack)),
            "TUPLE": lambda: self._stack.append(tuple(self._above_mark())),
            "EMPTY_LIST": lambda: self._stack.append([]),
            "EMPTY_DICT": lambda: self._stack.append({}),
            "APPEND": lambda: self._extend([self.pop()]),
            "APPENDS": lambda: self._extend(self._above_mark()),
            "SETITEM": lambda: self._set_items([self.pop(), self.pop()][::-1]),
            "SETITEMS": lambda: self._set_items(self._above_mark()),
            "MEMOIZE": lambda: self._memo.update({len(self._memo): self._stack[-1]}),
            "BINPERSID": lambda: self._stack.append(Reference(self.pop())),
            "STACK_GLOBAL": lambda: self._name([self.pop(), self.pop()][::-1]),
            "REDUCE": self._call,
            "BUILD": self._build,
        }

    def do(self, name: str, argument: object) -> None:
        """Carry out one instruction; ``argument`` is what stands behind it in the pickle."""
        if name in _VALUES:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _SHORT_TUPLES:
            self._short_tuple(_SHORT_TUPLES[name])
        elif name in ("BINPUT", "LONG_BINPUT") and isinstance(argument, int):
            self._memo[argument] = self._stack[-1]
        elif name in ("BINGET", "LONG_BINGET") and isinstance(argument, int):
            self._stack.append(self._memo[argument])
        elif name in ("GLOBAL", "INST"):
            self._name(str(argument).split(" ", 1))
            if name == "INST":
                raise ValueError("it makes objects of a class")
        elif name in self._instructions:
            self._instructions[name]()
        elif name not in ("PROTO", "FRAME"):
            raise ValueError(f"it has the instruction {name}")

    def pop(self) -> object:
        """The topmost value, which must lie above the last mark."""
        if self._marks and len(self._stack) <= self._marks[-1]:
            raise IndexError
        return self._stack.pop()

    def _above_mark(self) -> list[object]:
        begin = self._marks.pop()
        values = self._stack[begin:]
        del self._stack[begin:]
        return values

    def _short_tuple(self, size: int) -> None:
        self._stack.append(tuple([self.pop() for _ in range(size)][::-1]))

    def _extend(self, values: list[object]) -> None:
        target = self._stack[-1]
        if not isinstance(target, list):
            raise TypeError
        target.extend(values)

    def _set_items(self, values: list[object]) -> None:
        target = self._stack[-1]
        # A tuple of tuples of tuples as a key would take for ever to hash.
        if not isinstance(target, dict) or not all(isinstance(key, str | int) for key in values[::2]):
            raise TypeError
        for key, value in zip(values[::2], values[1::2], strict=True):
            if key in target:
                raise ValueError(f"it has {str(key)[:80]!r} twice")
            target[key] = value

    def _name(self, parts: list[object] | list[str]) -> None:
        full = ".".join(str(part)[:200] for part in parts)
        if len(parts) != 2 or not (full == _ORDERED_DICT or self._allowed(full)):
            raise UnsafePickle(full)
        self._stack.append(Name(full))

    def _call(self) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, Name) or not isinstance(arguments, tuple):
            raise TypeError
        is_dictionary = function.full == _ORDERED_DICT and not arguments
        self._stack.append({} if is_dictionary else Call(function, arguments))

    def _build(self) -> None:
        self.pop()
        if not isinstance(self._stack[-1], dict | Call):
            raise TypeError
