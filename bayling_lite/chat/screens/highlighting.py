"""Code in colours, a line at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayling_lite.chat.screens.markdown_inline import Fragment

if TYPE_CHECKING:
    from pygments.lexer import Lexer

# How far back a line is read in its context (is it inside a string?): every line costs that much again.
_CONTEXT = 4000

# Longer lines are data. Lexers search with regular expressions, of which some take the square of a line's length.
_LONGEST_LINE = 1000

# The languages that are coloured, by the names that Pygments knows them by. Not all that it knows: some of its lexers
# never come to an end with a text that is not of their language.
_LANGUAGES = frozenset(
    (
        *("bash", "sh", "shell", "zsh", "console", "shell-session", "powershell", "ps1", "bat"),
        *("python", "py", "python3", "pycon", "ruby", "rb", "perl", "php", "lua", "r", "julia", "matlab"),
        *("javascript", "js", "typescript", "ts", "jsx", "tsx", "html", "xml", "css", "scss"),
        *("c", "cpp", "c++", "csharp", "c#", "objective-c", "java", "kotlin", "scala", "groovy", "swift"),
        *("dart", "go", "golang", "rust", "rs", "zig", "haskell", "ocaml", "elixir", "erlang"),
        *("json", "yaml", "yml", "toml", "ini", "sql", "graphql", "protobuf", "latex", "tex"),
        *("diff", "make", "makefile", "cmake", "docker", "dockerfile", "nginx"),
    )
)

_KINDS = (
    *("Comment", "Keyword", "Operator.Word", "Literal.String", "Literal.Number"),
    *("Name.Function", "Name.Class", "Name.Tag"),
)


class Highlighter:
    """Gives the lines of one block of code as fragments; without colours where its language is not known."""

    def __init__(self, language: str) -> None:
        self._lexer = _lexer(language)
        self._before = ""

    def line(self, text: str) -> list[Fragment]:
        """The next line, without its line break."""
        if self._lexer is None or len(text) > _LONGEST_LINE:
            self._before = ""
            return [("class:code-block", text)]
        if len(self._before) > _CONTEXT:
            self._before = ""
        shown, code = len(self._before), self._before + text
        self._before = f"{code}\n"
        fragments: list[Fragment] = []
        # With its end: some lexers know a comment by that.
        for begin, kind, value in self._lexer.get_tokens_unprocessed(self._before):
            end = min(begin + len(value), len(code))
            if end <= shown:
                continue
            if begin > shown:  # a lexer that leaves something out does not make it vanish
                fragments.append(("class:code-block", code[shown:begin]))
                shown = begin
            fragments.append((_style(str(kind)), code[shown:end]))
            shown = end
        if shown < len(code):
            fragments.append(("class:code-block", code[shown:]))
        return fragments


def _lexer(language: str) -> Lexer | None:
    if language.lower() not in _LANGUAGES:
        return None
    from pygments.lexers import get_lexer_by_name  # not before there is code to show
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language)
    except ClassNotFound:
        return None


def _style(kind: str) -> str:
    name = next((known for known in _KINDS if kind.startswith(f"Token.{known}")), "")
    return f"class:code-block.{name.rpartition('.')[2].lower()}" if name else "class:code-block"
