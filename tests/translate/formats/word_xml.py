"""Word documents of raw XML, for what libraries that make documents do not know."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import docx

from bayling_lite.translate.markup import Marked, tagged
from tests.translate.formats.packages import parts_of, with_parts
from tests.translate.formats.rewriting import opened, swapped, written

NAMESPACES = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in {
        "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
        "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
        "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
        "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
        "v": "urn:schemas-microsoft-com:vml",
        "w14": "http://schemas.microsoft.com/office/word/2010/wordml",
    }.items()
)
_HEAD = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n<w:document {NAMESPACES}><w:body>'
_LANGUAGE = re.compile(r"<w:rPr><w:lang [^>]*/></w:rPr>|<w:lang [^>]*/>")


def empty() -> bytes:
    stream = io.BytesIO()
    docx.Document().save(stream)
    return with_parts(stream.getvalue(), {"docProps/core.xml": "<none/>"})


_EMPTY = empty()


def word(body: str) -> bytes:
    """A document with this body."""
    return with_parts(_EMPTY, {"word/document.xml": f"{_HEAD}{body}<w:sectPr/></w:body></w:document>"})


def body_of(data: bytes) -> str:
    """The body of a document, without what it says of languages."""
    text = parts_of(data)["word/document.xml"].decode()
    return _LANGUAGE.sub("", text.partition("<w:body>")[2].rpartition("<w:sectPr")[0])


def changed(body: str, change: Callable[[Marked], str] = swapped, *, bilingual: bool = False) -> str:
    """A body written with changed texts."""
    return body_of(written(opened(word(body), "docx"), change, bilingual=bilingual))


def tags(body: str) -> list[str]:
    """The texts of a body as a model sees them."""
    return [tagged(unit.source).text for unit in opened(word(body), "docx").units()]


def reads(body: str) -> list[str]:
    """The texts of a body as a reader sees them."""
    return [unit.source.reads for unit in opened(word(body), "docx").units()]


def p(*pieces: str) -> str:
    return f"<w:p>{''.join(pieces)}</w:p>"


def run(text: str, properties: str = "") -> str:
    space = ' xml:space="preserve"' if text != text.strip() or "  " in text else ""
    return f"<w:r>{f'<w:rPr>{properties}</w:rPr>' if properties else ''}<w:t{space}>{text}</w:t></w:r>"


BOLD = "<w:b/>"
TAB = "<w:r><w:tab/></w:r>"


def mark(kind: str) -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'


def field(instruction: str, *result: str) -> str:
    begin = f"{mark('begin')}<w:r><w:instrText> {instruction} </w:instrText></w:r>{mark('separate')}"
    return f"{begin}{''.join(result)}{mark('end')}"


def text_box(text: str, alternative: str = "A box") -> str:
    """A text box as Word writes it, once for itself and once for older versions."""
    content = f"<w:txbxContent>{p(run(text))}</w:txbxContent>"
    properties = f'<wp:docPr id="1" name="Box 1" descr="{alternative}"/>'
    drawing = f"<w:drawing><wp:anchor>{properties}<wps:txbx>{content}</wps:txbx></wp:anchor></w:drawing>"
    picture = f'<w:pict><v:shape alt="{alternative}"><v:textbox>{content}</v:textbox></v:shape></w:pict>'
    choice = f'<mc:Choice Requires="wps">{drawing}</mc:Choice>'
    return f"<w:r><mc:AlternateContent>{choice}<mc:Fallback>{picture}</mc:Fallback></mc:AlternateContent></w:r>"
