"""The page of a report: one HTML file with its plots and samples inside, light or dark as the reader's system is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from bayling_finetune.dialogues.plots import bars, can_plot, histograms
from bayling_finetune.dialogues.statistics import bin_edge
from bayling_lite.units import bytes_text

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --paper: #fff; --faint: #6a7078; --line: #d9dce1; --card: #f5f6f8;
  --first: #2f6db5; --second: #c9722b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e6ea; --paper: #16181b; --faint: #9aa1ab; --line: #33373d;
  --card: #1f2226; --first: #6ea8ea; --second: #e9a06a; } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.6rem; margin: 0 0 .25rem } h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem } h3 { font-size: 1rem }
p.faint, .faint { color: var(--faint) }
.numbers { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.2rem 0 }
.numbers div { background: var(--card); border-radius: .5rem; padding: .6rem 1rem; min-width: 9rem }
.numbers b { display: block; font-size: 1.4rem; font-variant-numeric: tabular-nums }
table { border-collapse: collapse; width: 100%; font-size: .93rem }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.5rem }
figure { margin: 0 } figcaption { font-weight: 600; margin-bottom: .3rem } svg { max-width: 100%; height: auto }
.turn { white-space: pre-wrap; border-radius: .6rem; padding: .45rem .8rem; margin: .3rem 0; width: fit-content;
  max-width: 88% }
.user { background: var(--card) } .assistant { border: 1px solid var(--line); margin-left: auto }
.context { opacity: .65 } .note { font-size: .8rem; color: var(--faint) }
details { border-top: 1px solid var(--line); padding: .5rem 0 } summary { cursor: pointer; font-weight: 600 }
article { margin: 1rem 0 1.6rem } code { font-size: .85rem }
@media print { body { max-width: none; padding: 0 } details::details-content { display: block } article, figure, tr {
  break-inside: avoid } }
"""


def page(report: Mapping[str, Any]) -> str:
    """The HTML of a report, as :meth:`Report.to_dict` gives it."""
    statistics, output = report["statistics"], report["output"]
    title = f"Dialogues: {output['file']}"
    parts = [
        f"<h1>{_text(title)}</h1>",
        f'<p class="faint">{bytes_text(output["bytes"])} · SHA-256 <code>{_text(output["sha256"])}</code></p>',
        _numbers(report),
        _plots(statistics),
        _asked(statistics),
        _contamination(report),
        _counts("Pairs left out", "reason", report["skipped"]),
        _counts("Dialogues refused by the last check", "reason", statistics["tables"]["troubles"]),
        _inputs(report["inputs"]),
        _samples(statistics["samples"]),
        _made(report),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _numbers(report: Mapping[str, Any]) -> str:
    statistics = report["statistics"]
    shown = [
        ("dialogues", statistics["dialogues"]),
        ("of several turns", statistics["multi_turn"]),
        ("answers to learn", statistics["learnt_answers"]),
    ]
    if report["pairs_read"]:
        shown += [("pairs read", report["pairs_read"]), ("pairs used", report["pairs_used"])]
    return '<div class="numbers">' + "".join(f"<div><b>{n:,}</b>{name}</div>" for name, n in shown) + "</div>"


def _plots(statistics: Mapping[str, Any]) -> str:
    tables, drawn = statistics["tables"], []
    named = (
        ("kinds", "Kinds"),
        ("turns", "Answers in a dialogue"),
        ("pairs", "Languages"),
        ("instructions", "Language of the instructions"),
        ("origins", "Origins"),
    )
    for name, label in named:
        if tables[name]:
            drawn.append(_figure(label, _bars(tables[name], label, by_name=name == "turns")))
    for unit in ("characters", "words"):
        lines = {side: statistics["histograms"][f"{unit}.{side}"] for side in ("user", "assistant")}
        drawn.append(_figure(f"{unit.capitalize()} of a turn", _histograms(lines, f"{unit} of a turn")))
    if statistics["histograms"]["tokens"]:
        drawn.append(_figure("Tokens", _histograms({"dialogues": statistics["histograms"]["tokens"]}, "tokens")))
    hint = "" if can_plot() else '<p class="note">Tables instead of plots: matplotlib is not installed.</p>'
    return f'<h2>What is in it</h2>{hint}<div class="plots">{"".join(drawn)}</div>'


def _figure(label: str, content: str) -> str:
    return f"<figure><figcaption>{_text(label)}</figcaption>{content}</figure>"


_MOST_BARS = 12


def _bars(counts: Mapping[str, int], label: str, *, by_name: bool) -> str:
    if by_name:
        ranked = sorted(counts.items(), key=lambda entry: (len(entry[0]), entry[0]))
    else:
        ranked = sorted(counts.items(), key=lambda entry: -entry[1])
    shown, rest = ranked[:_MOST_BARS], sum(count for _, count in ranked[_MOST_BARS:])
    table = {_visible(name): count for name, count in shown} | ({"others": rest} if rest else {})
    return bars(table, label) if can_plot() else _table(("", "dialogues"), table.items())


def _histograms(lines: Mapping[str, Mapping[str, int]], unit: str) -> str:
    points = {name: _shares(histogram) for name, histogram in lines.items() if histogram}
    if not points:
        return '<p class="note">Nothing to measure.</p>'
    if can_plot():
        return histograms(points, unit, unit)
    rows = [(f"{name}, from {edge:,.0f}", f"{share:.1%}") for name, line in points.items() for edge, share in line]
    return _table(("length", "share"), rows)


def _shares(histogram: Mapping[str, int]) -> list[tuple[float, float]]:
    """Every bin from the first to the last, and one of nothing behind it."""
    counts = {int(number): count for number, count in histogram.items()}
    total = sum(counts.values())
    return [(bin_edge(number), counts.get(number, 0) / total) for number in range(min(counts), max(counts) + 2)]


def _asked(statistics: Mapping[str, Any]) -> str:
    made, asked = statistics["tables"]["kinds"], statistics["tables"]["asked"]
    if not asked:
        return ""
    rows = [
        (kind, f"{count:,}", f"{made.get(kind, 0):,}", f"{made.get(kind, 0) / count:.1%}")
        for kind, count in sorted(asked.items(), key=lambda entry: -entry[1])
    ]
    return "<h2>How many could be made</h2>" + _table(("kind", "directions tried", "dialogues", "of these"), rows)


def _contamination(report: Mapping[str, Any]) -> str:
    if not report["inputs"]:
        return ""
    if not report["test_sets"]:
        return "<h2>Overlap with test sets</h2><p>No test set was named, so none was looked for.</p>"
    overlap = report["overlap"]
    names = ", ".join(map(_text, report["test_sets"]))
    if not any(overlap.values()):
        return f"<h2>Overlap with test sets</h2><p>No pair is in any of them: {names}.</p>"
    done = {"drop": "They were left out.", "allow": "They were kept, as was asked for."}.get(report["on_overlap"], "")
    rows = [(name, f"{count:,}") for name, count in overlap.items()]
    return f"<h2>Overlap with test sets</h2><p>Looked for: {names}. {done}</p>" + _table(("test set", "pairs"), rows)


def _counts(title: str, column: str, counts: Mapping[str, int]) -> str:
    if not any(counts.values()):
        return ""
    ranked = sorted(((name, count) for name, count in counts.items() if count), key=lambda entry: -entry[1])
    return f"<h2>{title}</h2>" + _table((column, "count"), [(name, f"{count:,}") for name, count in ranked])


def _inputs(inputs: Sequence[Mapping[str, Any]]) -> str:
    if not inputs:
        return ""
    header = ("file", "pairs", "languages", "origin", "licence", "SHA-256")
    rows = [
        (file["path"], f"{file['pairs']:,}", *(file[name] for name in ("languages", "origin", "license", "sha256")))
        for file in inputs
    ]
    return "<h2>Made from</h2>" + _table(header, rows)


def _samples(samples: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    parts = ["<h2>Samples</h2>"]
    for number, (kind, lines) in enumerate(samples.items()):
        dialogues = "".join(_dialogue(line) for line in lines)
        parts.append(f"<details{' open' if number == 0 else ''}><summary>{_text(kind)}</summary>{dialogues}</details>")
    return "".join(parts)


def _dialogue(line: Mapping[str, Any]) -> str:
    about = (
        [f"{line.get('source_language', '')} → {line.get('target_language', '')}"] if "source_language" in line else []
    )
    about += [str(line[name]) for name in ("origin", "id") if line.get(name)]
    turns = "".join(_turn(message) for message in line["messages"])
    return f'<article><div class="note">{_text(" · ".join(about))}</div>{turns}</article>'


def _turn(message: Mapping[str, Any]) -> str:
    role = str(message["role"])
    context = message.get("weight", 1) == 0
    note = '<div class="note">context, not learnt</div>' if context else ""
    kinds = f"turn {escape(role)}{' context' if context else ''}"
    return f'<div class="{kinds}" dir="auto">{_text(str(message["content"]))}{note}</div>'


def _made(report: Mapping[str, Any]) -> str:
    if not report["command"]:
        return ""
    rows = [(name, str(value)) for name, value in report["options"].items() if value not in ("", None, [])]
    return f"<h2>Made by</h2><p>{_text(report['made_by'])}</p><p><code>{_text(report['command'])}</code></p>" + _table(
        ("option", "value"), rows
    )


_NUMBER = re.compile(r"[\d.,]+( ?%)?")


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Columns whose every cell is a number stand to the right."""
    cells = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    right = [all(_NUMBER.fullmatch(row[place]) for row in cells) for place in range(len(header))]
    head = "".join(f"<th{_class(n)}>{_text(name)}</th>" for name, n in zip(header, right, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{_class(n)}>{_text(cell)}</td>" for cell, n in zip(row, right, strict=True)) + "</tr>"
        for row in cells
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _class(number: bool) -> str:
    return ' class="n"' if number else ""


_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def _visible(text: str) -> str:
    """With a mark for every character that has no place in a page, or would turn the text around."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)


def _text(text: str) -> str:
    return escape(_visible(text))
