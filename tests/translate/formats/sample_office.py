"""Sample documents in archives and PDF, made by the libraries that people make them with."""

from __future__ import annotations

import html
import io
from typing import Any

import docx
import ebooklib.epub
import openpyxl
import openpyxl.cell.rich_text as rich
import pptx
from odf.opendocument import OpenDocumentText
from odf.style import Style, TextProperties
from odf.table import Table, TableCell, TableRow
from odf.text import A, H, LineBreak, List, ListItem, Note, NoteBody, NoteCitation, P, Span, Tab
from openpyxl.cell.text import InlineFont
from pptx.util import Inches
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate

from tests.translate.formats.authors import Author, page


def docx_file(author: Author) -> bytes:
    document = docx.Document()
    document.core_properties.title = author.word()
    document.add_heading(author.word(), 1)
    for text in author.paragraphs():
        paragraph = document.add_paragraph()
        for word in text.split(" "):
            run = paragraph.add_run(word + " ")
            run.bold, run.italic = author.random.random() < 0.2, author.random.random() < 0.1
    document.add_paragraph(author.sentence(), style="List Bullet")
    table = document.add_table(2, 2)
    for cell in (*table.rows[0].cells, *table.rows[1].cells):
        cell.text = author.sentence()
    section = document.sections[0]
    section.header.paragraphs[0].text = author.word()
    section.footer.paragraphs[0].text = author.sentence()
    return saved(document)


def pptx_file(author: Author) -> bytes:
    deck = pptx.Presentation()
    for _ in range(author.random.randint(1, 3)):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = author.word()
        frame = slide.placeholders[1].text_frame
        for text in author.paragraphs():
            run = frame.add_paragraph().add_run()
            run.text, run.font.bold = text, author.random.random() < 0.5
        slide.shapes.add_textbox(Inches(1), Inches(1), Inches(2), Inches(1)).text_frame.text = author.sentence()
        cells = slide.shapes.add_table(2, 2, Inches(1), Inches(4), Inches(4), Inches(1)).table
        cells.cell(0, 0).text, cells.cell(1, 1).text = author.sentence(), "12"
        slide.notes_slide.notes_text_frame.text = author.paragraph()
    return saved(deck)


def xlsx_file(author: Author) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Prices"
    sheet.append([author.word(), "Amount", "Total"])
    for row in range(2, author.random.randint(4, 9)):
        sheet.append([author.sentence(), row * 1.5, f"=B{row}*2"])
    bold = rich.TextBlock(InlineFont(b=True), "bold ")
    sheet["E1"] = rich.CellRichText([bold, author.sentence()])
    sheet.oddHeader.center.text = "Page &P of &N"
    book.create_sheet("数据")["A1"] = author.paragraph()
    return saved(book)


def odt_file(author: Author) -> bytes:
    document = OpenDocumentText()
    bold = Style(name="Bold", family="text")
    bold.addElement(TextProperties(fontweight="bold"))
    document.automaticstyles.addElement(bold)
    document.text.addElement(H(outlinelevel=1, text=author.word()))
    for text in author.paragraphs():
        paragraph = P(text=text)
        paragraph.addElement(Span(stylename=bold, text=author.word()))
        paragraph.addElement(author.random.choice([Tab, LineBreak])())
        paragraph.addElement(A(href="https://example.org/?a=1&b=2", type="simple", text=author.sentence()))
        document.text.addElement(paragraph)
    note = Note(noteclass="footnote")
    note.addElement(NoteCitation(text="1"))
    body = NoteBody()
    body.addElement(P(text=author.sentence()))
    note.addElement(body)
    with_note = P(text="A footnote")
    with_note.addElement(note)
    document.text.addElement(with_note)
    items = List()
    for _ in range(2):
        item = ListItem()
        item.addElement(P(text=author.sentence()))
        items.addElement(item)
    document.text.addElement(items)
    table, row, cell = Table(), TableRow(), TableCell()
    cell.addElement(P(text=author.sentence()))
    row.addElement(cell)
    table.addElement(row)
    document.text.addElement(table)
    return saved(document)


def epub_file(author: Author) -> bytes:
    book = ebooklib.epub.EpubBook()
    book.set_identifier("id-1")
    book.set_title(author.word())
    book.set_language("en")
    chapters = []
    for number in range(author.random.randint(1, 3)):
        chapter = ebooklib.epub.EpubHtml(title=author.word(), file_name=f"c{number}.xhtml", lang="en")
        chapter.content = f"<html><body><h1>{author.word()}</h1>{page(author, xhtml=True)}</body></html>"
        book.add_item(chapter)
        chapters.append(chapter)
    book.toc = chapters
    book.spine = ["nav", *chapters]
    book.add_item(ebooklib.epub.EpubNcx())
    book.add_item(ebooklib.epub.EpubNav())
    book.add_item(ebooklib.epub.EpubItem("css", "a.css", "text/css", b"p { color: red }"))
    out = io.BytesIO()
    ebooklib.epub.write_epub(out, book)
    return out.getvalue()


def pdf(author: Author) -> bytes:
    out = io.BytesIO()
    style = getSampleStyleSheet()["BodyText"]
    texts = [text.encode("latin-1", "ignore").decode("latin-1") for text in author.paragraphs()]
    SimpleDocTemplate(out, invariant=1).build([Paragraph(html.escape(text), style) for text in texts])
    return out.getvalue()


def saved(document: Any) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
