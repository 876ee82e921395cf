r"""The answer in a solution, and whether two formulas are the same: the rules of AGIEval, as facts.

They compare how formulas are written, not what they mean (the MATH data set's rules, arXiv 2103.03874): ``0.5`` is
``\frac{1}{2}`` by a rule of its own, ``0.25`` is not ``\frac{1}{4}``. Numbers are comparable with published ones only
under exactly these. Everything here takes time linear in the length of what is read.
"""

from __future__ import annotations

import re
from collections import deque

# After one of these stands the answer, in the order in which they are looked for.
_ANNOUNCED = ("The answer is therefore", "答案是")

_BOX = "\\boxed"
# A number with nothing after it that would go on with it: of "3cm" it is none, nor of "3个".
_NUMBER = re.compile(r"\$?(?<!\d)\d++(?:\.\d++)?(?!\w)")
_RATIO = re.compile(r"(0|-?[1-9][0-9]*)/(0|-?[1-9][0-9]*)")


def final_answer(solution: str) -> str | None:
    """What a solution ends up with: what stands in the last box, else in the last formula, else the last number.

    Of an equation only what stands after its last equals sign. None where there is nothing of the kind.
    """
    for announced in _ANNOUNCED:
        place = 0 if solution.startswith(announced) else solution.rfind(announced)
        if place >= 0:
            solution = solution[place + len(announced) :].strip()
    if _BOX in solution:
        return _boxed(solution)
    return _formula(solution) or _plain(solution)


def equivalent(answer: str | None, right: str) -> bool:
    """Whether an answer is written as the right one is, once both are normalised."""
    if answer is None:
        return False
    try:
        return normalised(answer) == normalised(right)
    except _NotWritable:
        return answer == right


def normalised(formula: str) -> str:
    """A formula in the form in which formulas are compared.

    Raises:
        ValueError: it ends inside a command, or has several units.
    """
    text = formula.replace("\n", "").replace("\\!", "").replace("\\\\", "\\")
    text = text.replace("tfrac", "frac").replace("dfrac", "frac")
    for idle in ("\\left", "\\right", "^{\\circ}", "^\\circ", "\\$"):
        text = text.replace(idle, "")
    text = _without_unit(text).replace("\\%", "")
    text = text.replace(" .", " 0.").replace("{.", "{0.")
    if text.startswith("."):
        text = f"0{text}"
    name, equals, value = text.partition("=")
    if equals and "=" not in value and len(name) <= 2:
        text = value
    text = _braced_fractions(_braced_roots(text).replace(" ", ""))
    if text == "0.5":
        return "\\frac{1}{2}"
    ratio = _RATIO.fullmatch(text)
    return f"\\frac{{{ratio[1]}}}{{{ratio[2]}}}" if ratio else text


class _NotWritable(ValueError):
    """A formula that the rules cannot normalise."""


def _boxed(solution: str) -> str | None:
    """What the last box holds; None where it has no braces of its own, or they do not end."""
    box = solution[solution.rfind(_BOX) :]
    depth = 0
    for brace in re.finditer(r"[{}]", box):
        depth += 1 if brace[0] == "{" else -1
        if brace[0] == "}" and depth == 0:
            held = box[len(_BOX) + 1 : brace.start()]
            return _last_side(held) if box.startswith("{", len(_BOX)) else None
    return None


def _formula(solution: str) -> str:
    """What stands between the first and the last dollar sign of the last line that has two; empty for none."""
    for line in reversed(solution.split("\n")):
        first, last = line.find("$"), line.rfind("$")
        if first < last:
            return _last_side(line[first + 1 : last])
    return ""


def _plain(solution: str) -> str | None:
    """What stands after the last equals sign of a text without formulas, else its last number."""
    if "=" in solution:
        # The two characters \n stand for a line break in outputs that were escaped twice.
        return _last_side(solution).rstrip(".").split("\\n")[0]
    last = deque(_NUMBER.finditer(solution), maxlen=1)
    return last[0][0] if last else None


def _last_side(equation: str) -> str:
    _, equals, after = equation.rpartition("=")
    return after.lstrip(" ") if equals else equation


def _without_unit(text: str) -> str:
    """A text in the middle of a formula that begins with a space is a unit, and ends it."""
    before, _, after = text.partition("\\text{ ")
    if "\\text{ " in after:
        raise _NotWritable
    return before


def _braced_roots(text: str) -> str:
    r"""``\sqrt3`` as ``\sqrt{3}``."""
    head, *rests = text.split("\\sqrt")
    if "" in rests:
        raise _NotWritable
    return "\\sqrt".join([head, *(rest if rest[0] == "{" else f"{{{rest[0]}}}{rest[1:]}" for rest in rests)])


def _braced_fractions(text: str) -> str:
    r"""``\frac12`` and ``\frac1{2}`` as ``\frac{1}{2}``. One that lacks its denominator leaves all as they are."""
    head, *rests = text.split("\\frac")
    done = [head]
    for rest in rests:
        if not rest:
            raise _NotWritable
        if rest[0] == "{":
            done.append(rest)
        elif len(rest) == 1:
            return text
        else:
            below = rest[1:] if rest[1] == "{" else f"{{{rest[1]}}}{rest[2:]}"
            done.append(f"{{{rest[0]}}}{below}")
    return "\\frac".join(done)
