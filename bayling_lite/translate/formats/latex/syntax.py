"""What LaTeX's macros and environments are to a translator: text, titles, code, layout.

pylatexenc parses; what it does not know of the packages in use is told to it here.
"""

from __future__ import annotations

import functools
import logging
import re
from dataclasses import dataclass
from typing import Any

from pylatexenc.latexwalker import LatexWalker, get_default_latex_context_db
from pylatexenc.macrospec import (
    EnvironmentSpec,
    MacroSpec,
    MacroStandardArgsParser,
    ParsedMacroArgs,
    std_environment,
    std_macro,
)

from bayling_lite.errors import InputError

# It says that it goes on behind faults; so do we.
logging.getLogger("pylatexenc").addHandler(logging.NullHandler())


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


INLINE = _names(
    """emph textbf textit textsl textsc textsf texttt textrm textmd textup textnormal text underline uline sout uwave hl
    alert structure enquote enquote* mbox fbox makebox framebox textsuperscript textsubscript foreignlanguage href
    hyperlink hyperref textcolor colorbox MakeUppercase MakeLowercase centerline textquote blockquote"""
)
"""Their last argument is part of the sentence."""
NOTES = _names("footnote footnotetext thanks marginpar todo endnote sidenote marginnote")
"""Their last argument is a text of its own."""
TITLES = _names(
    """part chapter section subsection subsubsection paragraph subparagraph addchap addsec minisec title subtitle
    frametitle framesubtitle"""
)
"""Their arguments are labels that stand by themselves."""
CAPTIONS = _names("caption caption* captionof subcaption multicolumn multirow")
"""Their last argument is a text that stands by itself."""
ENDS = _names(
    """par maketitle tableofcontents listoffigures listoftables newpage clearpage cleardoublepage pagebreak appendix
    frontmatter mainmatter backmatter hline toprule midrule bottomrule cline cmidrule endhead endfirsthead endfoot
    endlastfoot tabularnewline bibliography printbibliography include input bigskip medskip smallskip vspace vfill
    newcommand renewcommand providecommand newenvironment setlength setcounter pagestyle thispagestyle
    bibliographystyle addlinespace noalign usepackage newtheorem hrule bibitem"""
)
"""No sentence goes on behind them."""
LAYOUT = _names(
    """label noindent indent centering raggedright raggedleft index includegraphics protect hspace smallbreak null
    strut newblock qedhere onehalfspacing doublespacing"""
)
"""They belong to no sentence where they stand before or behind one."""
FONTS = _names(
    """bf it em sc tt rm sf sl bfseries itshape slshape scshape ttfamily rmfamily sffamily mdseries upshape normalfont
    tiny scriptsize footnotesize small normalsize large Large LARGE huge Huge"""
)
"""At the beginning of a group they hold for all of it."""
BREAKS = _names("\\ newline linebreak hfill tabularnewline")
DEFINITIONS = _names("def gdef edef xdef let")
FORMULAS = _names(
    """equation equation* eqnarray eqnarray* align align* alignat alignat* gather gather* multline multline* flalign
    flalign* displaymath math dmath dmath* split cases array subequations IEEEeqnarray"""
)
"""Environments that stand within a sentence."""
CODE = _names(
    """verbatim verbatim* Verbatim BVerbatim LVerbatim lstlisting minted alltt comment filecontents filecontents*
    luacode pycode sagesilent algorithmic algorithm2e"""
)
_DRAWINGS = _names("tikzpicture picture pgfpicture forest circuitikz axis asy thebibliography tikzcd CD pspicture")
OPAQUE = CODE | _DRAWINGS
"""Environments without prose."""
TITLED = _names(
    """frame block alertblock exampleblock theorem proof lemma definition proposition corollary remark example
  conjecture thm lem prop cor defn rem"""
)
"""Environments whose arguments are titles."""
TABLES = _names("tabular tabular* tabularx tabulary tabu longtable longtabu supertabular xltabular")

_MACROS = {
    "paragraph": "*[{", "subparagraph": "*[{", "part": "*[{", "addchap": "[{", "addsec": "[{", "minisec": "{",
    "title": "[{", "subtitle": "[{", "author": "[{", "date": "[{",
    "frametitle": "[{", "framesubtitle": "[{", "caption": "*[{", "captionof": "{[{", "subcaption": "{",
    "multicolumn": "{{{", "multirow": "[{[{[{", "footnotetext": "[{", "thanks": "{", "marginpar": "[{", "todo": "[{",
    "endnote": "{", "sidenote": "{", "marginnote": "[{", "textnormal": "{", "uline": "{", "sout": "{", "uwave": "{",
    "hl": "{", "alert": "{", "structure": "{", "enquote": "*{", "fbox": "{", "makebox": "[[{", "framebox": "[[{",
    "textsuperscript": "{", "textsubscript": "{", "foreignlanguage": "[{{", "hyperlink": "{{", "hyperref": "[{",
    "MakeUppercase": "{", "MakeLowercase": "{", "centerline": "{", "textquote": "{", "blockquote": "{",
    "index": "[{", "glossary": "{", "pageref": "{", "nameref": "{", "vref": "{", "nocite": "{", "parencite": "[[{",
    "textcite": "[[{", "autocite": "[[{", "footcite": "[[{", "citeyear": "[[{", "gls": "[{", "newtheorem": "*{[{[",
    "SI": "[{[{", "si": "{", "qty": "[{{", "unit": "{", "num": "[{", "hypertarget": "{{", "phantom": "{",
    "rule": "[{{", "raisebox": "{[[{", "rotatebox": "[{{", "scalebox": "{[{", "resizebox": "*{{{", "addtocounter": "{{",
    "addcontentsline": "{{{", "markboth": "{{", "markright": "{", "pagestyle": "{", "thispagestyle": "{", "cline": "{",
    "bibliographystyle": "{", "bibitem": "[{", "vskip": "", "addlinespace": "[", "fontsize": "{{",
    "usetikzlibrary": "{",
}  # fmt: skip
_ENVIRONMENTS = {
    "longtable": "[{", "tabulary": "{{", "tabu": "{", "supertabular": "{", "minipage": "[[[{", "multicols": "{",
    "wrapfigure": "[{[{", "subfigure": "[{", "subtable": "[{", "array": "[{", "thebibliography": "{", "adjustbox": "{",
    "xltabular": "{{", "longtabu": "{", "otherlanguage": "{", "column": "[{", "block": "{",
}  # fmt: skip
_RAW_MACROS = {"url": (1, ""), "path": (1, ""), "nolinkurl": (1, ""), "href": (1, "{"), "lstinline": (1, ""),
               "mintinline": (2, ""), "includegraphics": (1, ""), "input": (1, ""), "include": (1, "")}  # fmt: skip
_RAW_ARGUMENT = re.compile(r"\s*(?:\[[^\]\n]*\])?\s*")
_WORDS = re.compile(r"(?:\w[\w,;:.。，、；：]*[ ]?)*\w")


@dataclass(frozen=True, slots=True)
class _RawArguments:
    """Reads arguments whose characters have no meaning, such as addresses; then some that have."""

    count: int
    rest: str

    def parse_args(self, w: Any, pos: int, parsing_state: Any = None) -> tuple[Any, int, int]:
        at = pos
        for _ in range(self.count):
            found = _RAW_ARGUMENT.match(w.s, at)
            end = raw_argument(w.s, found.end() if found else at)
            if end < 0:
                break
            at = end
        else:
            if self.rest:
                parsed, _, length = MacroStandardArgsParser(self.rest).parse_args(w, at, parsing_state)
                return parsed, pos, at + length - pos
        return ParsedMacroArgs(), pos, at - pos


@dataclass(frozen=True, slots=True)
class _RawBody:
    """Reads the body of an environment up to its end, whatever is in it."""

    name: str

    def parse_args(self, w: Any, pos: int, parsing_state: Any = None) -> tuple[Any, int, int]:  # noqa: ARG002
        end = w.s.find(f"\\end{{{self.name}}}", pos)
        return ParsedMacroArgs(), pos, (len(w.s) if end < 0 else end) - pos


def raw_argument(text: str, at: int) -> int:
    """Where an argument in braces, or between two of the same characters, ends; -1 where there is none."""
    if at >= len(text) or text[at].isspace():
        return -1
    if text[at] != "{":
        end = text.find(text[at], at + 1)
        return end + 1 if end >= 0 and not text[at].isalnum() else -1
    depth = 0
    for found in re.compile(r"[{}]").finditer(text, at):
        depth += 1 if found[0] == "{" else -1
        if not depth:
            return found.end()
    return -1


@functools.cache
def _context() -> Any:
    context = get_default_latex_context_db()
    macros = [MacroSpec(name, MacroStandardArgsParser(arguments)) for name, arguments in _MACROS.items()]
    macros += [MacroSpec(name, _RawArguments(*arguments)) for name, arguments in _RAW_MACROS.items()]
    macros += [std_macro(name, "") for name in DEFINITIONS]
    environments = [std_environment(name, arguments) for name, arguments in _ENVIRONMENTS.items()]
    environments += [EnvironmentSpec(name, _RawBody(name)) for name in sorted(CODE)]
    context.add_context_category("packages", macros=macros, environments=environments, prepend=True)
    return context


class _Walker(LatexWalker):  # type: ignore[misc]  # the library has no types
    """Takes runs of words at once. Character by character, its time is quadratic in their length."""

    def get_token(self, pos: int, *rest: Any, **options: Any) -> Any:
        """The next token; a run of words counts as one, but where a macro's argument is looked for."""
        token = super().get_token(pos, *rest, **options)
        if token.tok == "char" and options.get("environments", True) and self.s[token.pos].isalnum():
            found = _WORDS.match(self.s, token.pos)
            if found:
                token.arg, token.len = found[0], len(found[0])
        return token


def parse(name: str, text: str, start: int, end: int) -> list[Any]:
    """The nodes of a stretch of a text; what cannot be understood is left out.

    Raises:
        InputError: groups or environments are nested too deep.
    """
    nodes: list[Any] = []
    walker = _Walker(text[:end], latex_context=_context(), tolerant_parsing=True)
    at = start
    try:
        while at < end:
            found, _, length = walker.get_latex_nodes(pos=at)
            nodes += found
            # It stops at a brace or an end without a beginning.
            stray = re.compile(r"\\end\s*\{[^}]*\}|.", re.DOTALL).match(text, at + length, end)
            at = stray.end() if stray else end
    except RecursionError as error:
        raise InputError(
            f"{name} has groups or environments nested too deep to be understood. Divide it into several files."
        ) from error
    return nodes
