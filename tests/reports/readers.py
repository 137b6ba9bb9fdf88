"""Reads the numbers from every format, each with an independent reader."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from typing import Any

import pypdfium2
from openpyxl import load_workbook


def read_csv(written: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written.decode())))


def read_json(written: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(written)
    return answer


def read_sheet(written: bytes, name: str) -> list[tuple[Any, ...]]:
    sheet = load_workbook(io.BytesIO(written))[name]
    return [tuple(row) for row in sheet.iter_rows(values_only=True)]


class ReportHtml(HTMLParser):
    """The tables of a page by their captions, and what a strict policy would refuse."""

    def __init__(self, written: bytes) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.ids: list[str] = []
        self.references: list[str] = []
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self._open: list[str] = []
        self._rows: list[list[str]] = []
        self._caption = ""
        self.feed(written.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value or "")
            self.references += [a or b for a, b in re.findall(r"^#(?![0-9a-f]{6}$)(.+)$|url\(#([^)]+)\)", value or "")]
            if name in ("aria-labelledby", "aria-describedby"):
                self.references.append(value or "")
        if tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("th", "td"):
            self._rows[-1].append("")
        if tag in ("caption", "th", "td"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self.tables[self._caption] = self._rows
        if self._open and tag == self._open[-1]:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._open[-1:] == ["caption"]:
            self._caption += data
        elif self._open:
            self._rows[-1][-1] += data


def read_pdf(written: bytes) -> list[str]:
    """Return the lines of a PDF as PDFium reads them, page by page from the top: the words of one height are one line."""
    document = pypdfium2.PdfDocument(written)
    try:
        return [line for page in document for line in _lines(page)]
    finally:
        document.close()


def _lines(page: pypdfium2.PdfPage) -> list[str]:
    text = page.get_textpage()
    words: list[tuple[float, float, str]] = []
    for at in range(text.count_rects()):
        left, bottom, right, top = text.get_rect(at)
        words.append(((bottom + top) / 2, left, text.get_text_bounded(left, bottom, right, top)))
    lines: list[list[tuple[float, float, str]]] = []
    for word in sorted(words, key=lambda word: -word[0]):
        if lines and lines[-1][-1][0] - word[0] < 2:
            lines[-1].append(word)
        else:
            lines.append([word])
    joined = (" ".join(" ".join(part for _, _, part in sorted(line, key=lambda w: w[1])).split()) for line in lines)
    return [line for line in joined if line]
