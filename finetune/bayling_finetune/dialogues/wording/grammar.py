r"""A small context-free grammar: rules with weighted alternatives, expanded at random, counted, or listed.

How rules are written, one alternative to a line::

    translate:
        3* [please |]translate {text:quoted} into {target}
        <polite> give me the {target} for {text:quoted}
    polite:
        could you
        would you

``[a|b|]`` is a choice (the last one empty), ``<polite>`` another rule, ``{text}`` a slot, ``{text:quoted}`` a slot in
quotation marks, ``3*`` at the start of an alternative its weight (1 where nothing is said), ``\n`` a line break. A line
that begins with ``#`` is a remark.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for what the caller brings."""

    name: str
    quoted: bool = False


Piece = str | Slot
Form = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str


@dataclass(frozen=True, slots=True)
class _Choice:
    options: tuple[_Sequence, ...]
    weights: tuple[int, ...]


_Node = str | Slot | _Rule | _Choice
_Sequence = tuple[_Node, ...]

_TOKEN = re.compile(r"\\n|\{(?P<slot>\w+)(?P<quoted>:quoted)?\}|<(?P<rule>\w+)>|[\[\]|]|[^\\{}<>\[\]|]+|>")
_WEIGHT = re.compile(r"(\d+)\* ?")


class Grammar:
    """The rules of one language. An expansion whose words match the pattern ``clash`` does not count as one.

    Raises:
        ValueError: a rule cannot be read, is defined twice, is missing or is part of itself.
    """

    def __init__(self, rules: str, *, clash: str = "(?!)") -> None:
        bodies: dict[str, list[str]] = {}
        for line in rules.splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            if line[0] != " ":
                name = line.strip().removesuffix(":")
                if name in bodies:
                    raise ValueError(f"the rule {name!r} is defined twice")
                bodies[name] = []
            else:
                next(reversed(bodies.values())).append(line.strip(" "))
        self._rules = {name: _choice(alternatives) for name, alternatives in bodies.items()}
        self._clash = re.compile(clash)
        for name in self._rules:
            self._check(name, ())

    def unused(self, starts: Collection[str]) -> set[str]:
        """The rules that no expansion of these needs."""
        used, waiting = set[str](), list(starts)
        while waiting:
            name = waiting.pop()
            if name not in used:
                used.add(name)
                waiting += _rules_in(self._rules[name])
        return self._rules.keys() - used

    def sample(self, rule: str, random: Random) -> Form:
        """One expansion of a rule, by weight."""
        while True:
            form = _joined(self._sample(self._rules[rule], random))
            if not self._clashes(form):
                return form

    def forms(self, rule: str) -> Iterator[Form]:
        """Every expansion of a rule; the same one may come twice."""
        forms = (_joined(pieces) for pieces in self._forms(self._rules[rule]))
        return (form for form in forms if not self._clashes(form))

    def _clashes(self, form: Form) -> bool:
        return self._clash.search(" ".join(piece for piece in form if isinstance(piece, str))) is not None

    def _sample(self, choice: _Choice, random: Random) -> Iterator[Piece]:
        for node in random.choices(choice.options, choice.weights)[0]:
            if isinstance(node, _Rule):
                yield from self._sample(self._rules[node.name], random)
            elif isinstance(node, _Choice):
                yield from self._sample(node, random)
            else:
                yield node

    def _forms(self, choice: _Choice) -> Iterator[Form]:
        for option in choice.options:
            yield from (
                tuple(itertools.chain.from_iterable(parts))
                for parts in itertools.product(*(self._node_forms(node) for node in option))
            )

    def _node_forms(self, node: _Node) -> Iterator[Form]:
        if isinstance(node, _Rule):
            return self._forms(self._rules[node.name])
        return self._forms(node) if isinstance(node, _Choice) else iter(((node,),))

    def _check(self, name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise ValueError(f"the rule {name!r} is part of itself")
        if name not in self._rules:
            raise ValueError(f"the rule {name!r} is not defined")
        for part in _rules_in(self._rules[name]):
            self._check(part, (*above, name))


def fill(form: Form, texts: Mapping[Slot, str]) -> str:
    """The text of a form; whatever a slot brings stays as it is."""
    return "".join(piece if isinstance(piece, str) else texts[piece] for piece in form)


def _rules_in(choice: _Choice) -> Iterator[str]:
    for node in itertools.chain.from_iterable(choice.options):
        if isinstance(node, _Rule):
            yield node.name
        elif isinstance(node, _Choice):
            yield from _rules_in(node)


def _choice(alternatives: list[str]) -> _Choice:
    options: list[_Sequence] = []
    weights: list[int] = []
    for line in alternatives:
        tokens = list(_TOKEN.finditer(line))
        if "".join(token.group() for token in tokens) != line:
            raise ValueError(f"cannot read {line!r}")
        tokens.reverse()
        read = _read(tokens)
        depth = sum({"[": 1, "]": -1}.get(token.group(), 0) for token in _TOKEN.finditer(line))
        if tokens or depth or len(read.options) != 1:
            raise ValueError(f"brackets do not match in {line!r}")
        options += read.options
        weights += read.weights
    return _Choice(tuple(options), tuple(weights))


def _read(tokens: list[re.Match[str]]) -> _Choice:
    """Read up to the closing bracket of a choice, which is taken away, or to the end; ``tokens`` are in reverse."""
    options: list[list[_Node]] = [[]]
    weights = [1]
    while tokens:
        token = tokens.pop()
        text = token.group()
        if text == "]":
            break
        if text == "|":
            options.append([])
            weights.append(1)
        elif text == "[":
            options[-1].append(_read(tokens))
        elif token["slot"]:
            options[-1].append(Slot(token["slot"], token["quoted"] is not None))
        elif token["rule"]:
            options[-1].append(_Rule(token["rule"]))
        else:
            weight = None if options[-1] else _WEIGHT.match(text)
            if weight:
                weights[-1], text = int(weight[1]), text[weight.end() :]
            options[-1].append("\n" if text == "\\n" else text)
    return _Choice(tuple(tuple(option) for option in options), tuple(weights))


def _joined(pieces: Iterator[Piece] | Form) -> Form:
    """Neighbouring texts as one."""
    joined: list[Piece] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if isinstance(piece, str) and isinstance(last, str):
            joined[-1] = last + piece
        elif piece != "":
            joined.append(piece)
    return tuple(joined)
