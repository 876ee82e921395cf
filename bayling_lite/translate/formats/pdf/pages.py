"""Lines of text on the pages of a PDF, by pdfminer.six.

A PDF says where each glyph stands and nothing of words, lines or paragraphs. Here glyphs become lines; what the lines
are is told in ``pdf_paragraphs``. Pictures, drawings and text that stands across the page are left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from pdfminer.converter import PDFLayoutAnalyzer
from pdfminer.layout import LAParams, LTChar, LTComponent, LTLayoutContainer, LTPage, LTTextLineHorizontal
from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect
from pdfminer.pdffont import PDFCIDFont, PDFFont
from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
from pdfminer.pdfpage import PDFPage
from pdfminer.pdfparser import PDFParser
from pdfminer.utils import Matrix, Rect

from bayling_lite.errors import InputError
from bayling_lite.translate.formats.base import Source
from bayling_lite.translate.formats.pdf.direction import turned
from bayling_lite.translate.formats.pdf.limits import Clock, TimedDocument, TooMuch, limits

MOST_PAGES = 10_000
MOST_GLYPHS_A_PAGE = 200_000
_LARGEST = 14_400  # points, the most a page can have (ISO 32000-1, C.2)
_DEEPEST = 12  # drawings inside drawings

_UNUSED = frozenset({127, 129, 141, 143, 144, 157})  # of WinAnsiEncoding
_NO_CHARACTER = re.compile(r"\(cid:\d+\)")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_LIGATURES = {ord(ligature): unicodedata.normalize("NFKC", ligature) for ligature in "ﬀﬁﬂﬃﬄﬅﬆ"}
# What Word and LibreOffice begin the items of lists with, by their places in the fonts Symbol and Wingdings.
_BULLETS = dict.fromkeys(map(ord, "\uf0b7\uf0a7\uf0a8\uf06c\uf06e\uf071\uf076\uf0d8\uf0fc"), "•")
_CHARACTERS = _LIGATURES | _BULLETS
_MONO = re.compile(r"mono|courier|consol|menlo|typewriter|cmtt|sourcecode|inconsolata", re.IGNORECASE)
_BOLD = re.compile(r"bold|black|heavy|demi", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, as it stands, from the left. Places are in points from the left and the bottom of the page.

    ``size``, ``bold`` and ``mono`` (all glyphs equally wide, as in code) are of the font.
    """

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    bold: bool
    mono: bool = False

    @property
    def height(self) -> float:
        """How high it is."""
        return self.y1 - self.y0


@dataclass(frozen=True, slots=True)
class Page:
    """A page, its size in points. ``damaged`` ones could not be read; ``unknown`` counts glyphs without a character."""

    number: int
    width: float
    height: float
    lines: tuple[Line, ...]
    unknown: int = 0
    damaged: bool = False


def read_pages(source: Source) -> tuple[Page, ...]:
    """The lines of all pages.

    Raises:
        InputError: it is not a PDF, is damaged, wants a password, or is larger than can be read here.
    """
    if b"%PDF-" not in source.data[:1024]:
        raise InputError(f"{source.name} is not a PDF: it does not begin like one.")
    with limits():
        try:
            return tuple(_pages(source))
        except (PDFPasswordIncorrect, PDFEncryptionError) as error:
            raise InputError(
                f"{source.name} is encrypted, and cannot be read without its password. Save it without one."
            ) from error
        except TooMuch as error:
            raise InputError(f"{source.name} cannot be read: {error}. Split it into smaller documents.") from error
        except InputError:
            raise
        except Exception as error:  # pdfminer raises whatever a damaged document leads it to
            raise InputError(
                f"{source.name} is damaged ({type(error).__name__}). Get a whole copy of it, or print it to a new PDF."
            ) from error


def _pages(source: Source) -> Iterator[Page]:
    clock = Clock()
    document = TimedDocument(PDFParser(BytesIO(source.data)))
    document.clock = clock
    resources = PDFResourceManager()
    device = _Device(resources, clock)
    interpreter = PDFPageInterpreter(resources, device)
    number = 0
    for number, page in enumerate(PDFPage.create_pages(document), start=1):
        if number > MOST_PAGES:
            raise TooMuch(f"it has more than {MOST_PAGES:,} pages")
        clock.check()
        device.page = None
        try:
            interpreter.process_page(page)
        except (TooMuch, PDFPasswordIncorrect, PDFEncryptionError):
            raise
        except Exception:  # noqa: BLE001  # pdfminer raises whatever a damaged page leads it to
            device.page = None
        yield device.lines(number) if device.page is not None else Page(number, 0, 0, (), damaged=True)
    if not number:
        raise InputError(f"{source.name} is damaged: it has no pages. Get a whole copy of it.")


class _Device(PDFLayoutAnalyzer):
    """Takes the glyphs of a page, and nothing else of it."""

    def __init__(self, resources: PDFResourceManager, clock: Clock) -> None:
        super().__init__(resources, laparams=None)
        self.page: LTPage | None = None
        self._clock = clock
        self._glyphs = 0

    def begin_page(self, page: PDFPage, ctm: Matrix) -> None:
        """Begin a page; one before it that was damaged may have left something open."""
        self._stack.clear()
        self._glyphs = 0
        super().begin_page(page, ctm)

    def begin_figure(self, name: str, bbox: Rect, matrix: Matrix) -> None:
        """Begin a drawing with text in it."""
        if len(self._stack) >= _DEEPEST:
            raise ValueError("drawings inside drawings")
        self._clock.check()
        super().begin_figure(name, bbox, matrix)

    def render_char(self, *args: object, **kwargs: object) -> float:
        """Take a glyph."""
        self._glyphs += 1
        if self._glyphs > MOST_GLYPHS_A_PAGE:
            raise TooMuch("a page has too much text")
        if self._glyphs % 1000 == 0:
            self._clock.check()
        return super().render_char(*args, **kwargs)  # type: ignore[arg-type]

    def handle_undefined_char(self, font: PDFFont, cid: int) -> str:
        """What to take for a glyph that has no character: codes that are not used are bullets (PDF 32000-1, D.2)."""
        if cid in _UNUSED and not isinstance(font, PDFCIDFont):
            return "•"
        return super().handle_undefined_char(font, cid)

    def render_image(self, name: str, stream: object) -> None:
        """Leave a picture out."""

    def paint_path(self, *args: object) -> None:
        """Leave a drawing out."""

    def receive_layout(self, ltpage: LTPage) -> None:
        """Take a page."""
        self.page = ltpage

    def lines(self, number: int) -> Page:
        """The lines of the page."""
        page = self.page
        assert page is not None  # noqa: S101
        glyphs = list(_glyphs(page))
        lines = []
        unknown = 0
        for group in page.group_objects(LAParams(), glyphs) if glyphs else ():
            if isinstance(group, LTTextLineHorizontal):
                text = group.get_text()
                unknown += len(_NO_CHARACTER.findall(text))
                line = _line(group, _NO_CHARACTER.sub("", text))
                lines += [line] if line else []
        return Page(number, page.width, page.height, tuple(lines), unknown)


def _glyphs(container: LTLayoutContainer) -> Iterator[LTChar]:
    """The glyphs of a page and of the drawings on it that stand upright, those that are drawn twice once."""
    seen: set[tuple[str, int, int]] = set()
    width, height = (min(side, _LARGEST) if side > 0 else _LARGEST for side in (container.width, container.height))
    open_: list[Iterator[LTComponent]] = [iter(container)]
    while open_:
        item = next(open_[-1], None)
        if item is None:
            open_.pop()
        elif isinstance(item, LTChar):
            if not (-width < item.x0 <= item.x1 < 2 * width and -height < item.y0 <= item.y1 < 2 * height):
                continue  # nobody sees it, and it would make the page any size
            place = (item.get_text(), round(item.x0), round(item.y0))
            if item.upright and place not in seen:
                seen.add(place)
                yield item
        elif isinstance(item, LTLayoutContainer):
            open_.append(iter(item))


def _line(group: LTTextLineHorizontal, text: str) -> Line | None:
    text = " ".join(_CONTROL.sub("", text.translate(_CHARACTERS)).split())
    glyphs = [glyph for glyph in group if isinstance(glyph, LTChar) and not glyph.get_text().isspace()]
    if not text or not glyphs:
        return None
    if glyphs[0].x0 > glyphs[-1].x0:
        text = turned(text)
    sizes = Counter(round(glyph.size, 1) for glyph in glyphs)
    bold, mono = (
        sum(bool(font.search(glyph.fontname)) for glyph in glyphs) * 2 > len(glyphs) for font in (_BOLD, _MONO)
    )
    return Line(text, group.x0, group.y0, group.x1, group.y1, sizes.most_common(1)[0][0], bold, mono)
