r"""LaTeX: what is text, what stays, and that no translation turns into a command."""

from __future__ import annotations

import pytest

from bayling_lite.errors import InputError
from bayling_lite.translate.markup import code_character as code
from tests.translate.formats.rewriting import opened, same, shown, swapped, written

PAPER = r"""\documentclass[a4paper]{article}
\usepackage[utf8]{inputenc}
\newcommand{\foo}[1]{\textbf{some words here: #1}}
\title[Short]{My \emph{great} paper}
\author{Anna Schmidt}
\begin{document}
\maketitle
\section[In short]{Introduction \& more}
\label{sec:intro}
This is a paragraph with \textbf{bold
text}, $x^2$ and 100\,\% of ``quotes''~\cite{a,b}. % a comment
It goes on --- with a footnote\footnote{A note with \emph{stress}.} here;
see Section~\ref{sec:intro}, \url{http://a.b/c%20d#e} and  two spaces.

% Only a comment.
\begin{itemize}
  \item First item.
  \item[Label] Second \"uber \c{c}a stra\ss{}e item\\ after a break.
\end{itemize}
We have
\begin{equation}
  E = mc^2 \text{ with words}
\end{equation}
where $E$ is the energy.
\begin{figure}[ht]
  \centering
  \includegraphics[width=3cm]{a_b.png}
  \caption{A caption. With two sentences.}\label{fig:a}
\end{figure}
\begin{tabular}{l|r}
  \hline
  Name & Value \\ \hline
  One \& two & 1 \\
  \multicolumn{2}{c}{Both \textit{of them}} \\ \cmidrule(lr){1-2}
\end{tabular}
\begin{verbatim}
Not % this {
\end{verbatim}
\begin{lstlisting}[language=C]
int main() { return 0; } // nor this
\end{lstlisting}
\begin{theorem}[Some name] Let $x$ be \LaTeX{} nice. \end{theorem}
\begin{mybox}{opt}[x] Content of a box. \end{mybox}
{\bf Bold words} and \mymacro{some prose here} but \gls{abc} not.
Use \verb|x y|, \texttt{code_it} or \href{http://x.y/%20}{a link}.
\begin{tikzpicture} \draw (0,0) node {no text}; \end{tikzpicture}
\def\bar{nothing}
\end{document}
Ignored text.
"""


def changed(source: str, *translations: str, bilingual: bool = False) -> str:
    """A document in which each unit is translated as said."""
    coming = iter(translations)
    text = written(opened(source.encode(), "tex"), lambda _: next(coming), bilingual=bilingual).decode()
    assert next(coming, None) is None, "there are fewer units"
    return text


@pytest.mark.parametrize("bilingual", [False, True])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_unchanged_documents_are_the_same(newline: str, bilingual: bool) -> None:
    data = PAPER.replace("\n", newline).encode()
    assert written(opened(data, "tex"), same, bilingual=bilingual) == data


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_swapping_twice_gives_the_document_back(newline: str) -> None:
    data = PAPER.replace("\n", newline).encode()
    once = written(opened(data, "tex"), swapped)
    assert once != data
    assert written(opened(once, "tex"), swapped) == data


def test_units_are_what_a_reader_sees() -> None:
    assert shown(opened(PAPER.encode(), "tex")) == [
        "Short",
        "My great paper",
        "In short",
        "Introduction & more",
        (
            "This is a paragraph with bold text, $x^2$ and 100\u202f% of “quotes”\u00a0. It goes on — with a footnote "
            "here; see Section\u00a0,  and two spaces."
        ),
        "A note with stress.",
        "First item.",
        "Label",
        "Second über ça straße item\n after a break.",
        "We have  where $E$ is the energy.",
        "A caption. With two sentences.",
        "Name",
        "Value",
        "One & two",
        "Both of them",
        "Some name",
        "Let $x$ be LaTeX nice.",
        "Content of a box.",
        "Bold words and some prose here but  not. Use , code_it or a link.",
    ]


def test_only_text_changes() -> None:
    once = written(opened(PAPER.encode(), "tex"), swapped).decode()
    for kept in (r"\author{Anna Schmidt}", r"\newcommand{\foo}[1]{\textbf{some words here: #1}}", r"\label{sec:intro}",
                 r"\cite{a,b}", "% a comment\n", r"\url{http://a.b/c%20d#e}", r"\text{ with words}", "Not % this {",
                 r"\begin{tabular}{l|r}", "nor this", r"\verb|x y|", r"\texttt{code_it}", r"\href{http://x.y/%20}{",
                 "{no text}", "Ignored text.", r"\begin{mybox}{opt}[x]", r"\item[", "% Only a comment.",
                 "{a_b.png}"):  # fmt: skip
        assert kept in once, kept
    for new in (r"\title[sHORT]{mY \emph{GREAT} PAPER}", r"\section[iN SHORT]{iNTRODUCTION \& MORE}", "``QUOTES''~",
                r"\footnote{a NOTE WITH \emph{STRESS}.}", "nAME & vALUE", r"\caption{a CAPTION. wITH",
                r"\"uBER \c{c}A STRA\ss{}E", r"{\bf bOLD WORDS}", r"\mymacro{SOME PROSE HERE}"):  # fmt: skip
        assert new in once, new


def test_a_wrapped_paragraph_comes_out_on_one_line() -> None:
    assert changed("one\n  two\nthree four\n", "eins zwei") == "eins zwei\n"
    assert shown(opened("我们昨天\n去了公园。\n".encode(), "tex")) == ["我们昨天去了公园。"]


@pytest.mark.parametrize(
    "text",
    [r"50 % & #1 _a_ {b} $c$ ~d^e \foo", "a -- b --- c", "``a'' `b'", "[x] y", "[x y", "*x", "a!`b", "a\u00a0b", "“a”"],
)
@pytest.mark.parametrize(
    "frame", ["{}\n", r"\section{{{}}}", r"\item {}", r"\\ {}", r"\textbf{{{}}} x", r"\title[{}]{{a}}"]
)
def test_a_translation_does_not_turn_into_commands(frame: str, text: str) -> None:
    new = written(opened(frame.format("Hello").encode(), "tex"), lambda unit: unit.text.replace("Hello", text))
    assert text in " ".join(shown(opened(new, "tex"))).replace("\n", "")
    back = written(opened(new, "tex"), lambda unit: unit.text.replace(text, "Hello")).decode()
    assert "\\foo" not in new.decode()
    assert back.count("{") == back.count("}")


def test_characters_are_escaped() -> None:
    assert changed("Hello\n", r"5 % & # _ { } $ ~ ^ \ ok") == (
        r"5 \% \& \# \_ \{ \} \$ \textasciitilde{} \textasciicircum{} \textbackslash{} ok" + "\n"
    )
    assert changed(r"\item Hello" + "\n", "[a] b") == r"\item {[}a] b" + "\n"
    assert changed("a \\LaTeX\\ b\n", f"x{code(0)}y") == "x\\LaTeX{}y\n"


def test_characters_are_spelled_as_in_the_source() -> None:
    assert changed("Caf\\'e ``a'' 5~km\n", "“é” 5\u00a0km é") == "``\\'e'' 5~km \\'e\n"
    assert changed("Café “a”\n", "“é”") == "“é”\n"


def test_shorthands_of_german() -> None:
    source = (
        '\\documentclass{article}\\usepackage[ngerman]{babel}\n\\begin{document}\n"Uber "`Stra"se"\'\n\\end{document}\n'
    )
    document = opened(source.encode(), "tex")
    assert shown(document) == ["Über „Straße“"]
    assert written(document, lambda unit: unit.text.replace("Straße", "Gasse x")).decode() == source.replace(
        'Stra"se', "Gasse x"
    )


def test_codes_may_change_their_order() -> None:
    source = "See \\ref{a} and \\emph{the \\href{x}{link}}.\n"
    text = f"{code(1)}{code(2)}Verweis{code(3)}{code(4)} in {code(0)}."
    assert changed(source, text) == "\\emph{\\href{x}{Verweis}} in \\ref{a}.\n"


def test_the_font_of_a_group_is_part_of_its_beginning() -> None:
    assert changed("We {\\bf really do} care.\n", f"Wir {code(0)}tun es{code(1)}.") == "Wir {\\bf tun es}.\n"
    assert changed("We {\\bf\\em do} it.\n", f"我们{code(0)}做{code(1)}。") == "我们{\\bf\\em 做}。\n"
    assert changed("我们{\\bf 做}它。\n", f"We {code(0)}do{code(1)} it.") == "We {\\bf do} it.\n"


def test_macros_that_are_not_known() -> None:
    assert shown(
        opened("\\mynote{两个汉字的话。} \\key{width} \\opt{a b=c} \\say{Two words} x.\n".encode(), "tex")
    ) == ["两个汉字的话。   Two words x."]
    assert shown(opened(b"We \\mykey{" + b"a" * 100_000 + b"} x.\n", "tex")) == ["We  x."]


def test_a_comment_ends_its_line() -> None:
    assert changed("One % why\ntwo.\n", f"Zwei {code(0)}eins drei.") == "Zwei % why\neins drei.\n"


def test_bilingual_documents() -> None:
    source = "\\section{One}\nTwo\n\n\\begin{itemize}\\item Three\\end{itemize}\\caption{Four\\label{x}}\n"
    assert written(opened(source.encode(), "tex"), swapped, bilingual=True).decode() == (
        "\\section{One / oNE}\nTwo\n\ntWO\n\n\\begin{itemize}\\item Three\n\ntHREE\\end{itemize}"
        "\\caption{Four / fOUR\\label{x}}\n"
    )


def test_a_file_without_a_document_is_text_and_a_preamble_is_not() -> None:
    assert shown(opened(b"\\chapter{One}\nText.\n", "tex")) == ["One", "Text."]
    assert shown(opened(b"\\documentclass{article}\n\\newcommand{\\x}{Some text.}\n", "tex")) == []


HOSTILE = ["}" * 2000, "\\end{x}" * 500, "$" * 2001, "\\" * 2001, "\\foo[" * 2000, "\\verb|x" * 501, "&" * 2000, "%",
           "\\begin{verbatim}" * 200, " " * 50_000, "word " * 20_000, "\\", "\\begin{a} x \\end{b} y", "\\item[a",
           "\\def\\a", "\\url{a", "\\section", "\\begin{document}", "\\title{"]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_documents_are_the_same(text: str) -> None:
    assert written(opened(text.encode(), "tex"), same) == text.encode()


@pytest.mark.parametrize("text", ["{" * 5000, "\\begin{a}" * 2000, "\\caption{x" * 2000])
def test_bottomless_documents_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"document\.tex .* nested too deep"):
        opened(text.encode(), "tex")
