"""Files that are small on disk and very large when unpacked, written by hand because no program creates them."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterable, Mapping

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_FRAME: Mapping[str, str] = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPE}.sharedStrings+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook {_MAIN} xmlns:r="{_RELATIONS}"><sheets><sheet name="Sites" sheetId="1" r:id="r1"/></sheets>'
        "</workbook>"
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{_RELATIONS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    ),
}


def workbook(rows: bytes | Iterable[bytes], *, dimension: str = "", texts: Iterable[bytes] = ()) -> bytes:
    """Return an Excel workbook.

    Parameters
    ----------
    rows
        The XML between ``<sheetData>`` and its end, whole or in parts.
    dimension
        What the sheet says of its own size, e.g. ``"A1:XFD1048576"``.
    texts
        The XML between ``<sst>`` and its end, in parts.
    """
    parts = [rows] if isinstance(rows, bytes) else rows
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in _FRAME.items():
            archive.writestr(name, text)
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            stated = f'<dimension ref="{dimension}"/>' if dimension else ""
            sheet.write(f"<worksheet {_MAIN}>{stated}<sheetData>".encode())
            for part in parts:
                sheet.write(part)
            sheet.write(b"</sheetData></worksheet>")
        with archive.open("xl/sharedStrings.xml", "w") as shared:
            shared.write(f"<sst {_MAIN}>".encode())
            for part in texts:
                shared.write(part)
            shared.write(b"</sst>")
    return packed.getvalue()


def text_cells(*texts: str) -> bytes:
    """Return a workbook's row of texts."""
    cells = "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in texts)
    return f"<row>{cells}</row>".encode()


SITES = text_cells("facility", "city", "postcode", "country") + text_cells("Lakeside Clinic", "Miami", "33180", "US")


def repeated(part: bytes, times: int) -> Iterable[bytes]:
    """Yield something many times over, a thousand at once."""
    block = part * 1_000
    return (block for _ in range(times // 1_000))


def gzip_of(parts: Iterable[tuple[bytes, int]]) -> bytes:
    """Return a gzip file of parts, each repeated; a repeated part is packed once, as a member of the file."""
    return b"".join(gzip.compress(part) * times for part, times in parts)


def archive(members: Mapping[str, Iterable[bytes]]) -> bytes:
    """Return a zip archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as written:
        for name, parts in members.items():
            with written.open(name, "w") as member:
                for part in parts:
                    member.write(part)
    return packed.getvalue()


def far_cell() -> bytes:
    """A workbook with one cell in the last column, XFD, of forty thousand rows."""
    row = b'<row><c r="XFD%d"><v>1</v></c></row>'
    return workbook([SITES, *(row % number for number in range(3, 40_000))], dimension="A1:XFD1048576")


def many_rows() -> bytes:
    """A workbook of four million rows."""
    return workbook([SITES, *repeated(b"<row><c><v>1</v></c></row>", 4_000_000)])


def far_row() -> bytes:
    """A workbook whose second row says that it is the two thousand millionth."""
    return workbook([text_cells("city", "country"), b'<row r="2000000000"><c><v>1</v></c></row>'])


def many_texts() -> bytes:
    """A workbook with ten million shared strings and two rows."""
    return workbook(SITES, texts=repeated(b"<si><t/></si>", 10_000_000))


def many_texts_under_another_name() -> bytes:
    """The same with a prefix before each name, which a search for the usual name does not find."""
    head = f"<x:a xmlns:x={_MAIN.partition('=')[2]}>".encode()
    return workbook(SITES, texts=[head, *repeated(b"<x:si><x:t/></x:si>", 10_000_000), b"</x:a>"])


def long_sheet() -> bytes:
    """A workbook whose sheet takes over six hundred million bytes when it is unpacked."""
    return workbook([SITES, *(b" " * (1 << 24) for _ in range(40))])


def many_objects() -> bytes:
    """Twenty million JSON objects, gzipped."""
    return gzip_of([(b"{}\n" * 1_000_000, 20)])


def nested_objects() -> bytes:
    """Twenty million JSON objects inside one, gzipped."""
    return gzip_of([(b'{"a":[{}', 1), (b",{}" * 1_000_000, 20), (b"]}", 1)])


def spaces() -> bytes:
    """Two thousand million spaces before a record, gzipped."""
    return gzip_of([(b" " * (1 << 24), 128), (b"{}", 1)])


def archive_of_spaces() -> bytes:
    """A zip archive of JSON files that are six hundred million bytes together."""
    return archive({f"{number}.json": (b" " * (1 << 24) for _ in range(20)) for number in range(2)})


def wide_csv() -> bytes:
    """A CSV file of two million columns."""
    return b"facility,city,country" + b",x" * 1_999_997 + b"\nA,Miami,US\n"


def comma_file() -> bytes:
    """A CSV file of one line of twenty million commas."""
    return b"city,country\n" + b"," * 20_000_000


def long_csv() -> bytes:
    """A CSV file of a million rows."""
    return b"facility,city,country\n" + b"A,Miami,US\n" * 1_000_000


def long_town() -> bytes:
    """A CSV file with a town of a hundred thousand letters."""
    return b"facility,city,country\nA," + b"m" * 100_000 + b",US\n"


def broken_sheet() -> bytes:
    """A workbook whose sheet is no XML after its second row."""
    return workbook(SITES + b"<row><c><v>1</row>")


def wrong_number() -> bytes:
    """A workbook with a number that is none."""
    return workbook(SITES + b"<row><c><v>twelve</v></c></row>")


def wrong_reference() -> bytes:
    """A workbook whose cell refers to a shared string that is not there."""
    return workbook(SITES + b'<row><c t="s"><v>5</v></c></row>')


def damaged_workbook() -> bytes:
    """A workbook in whose middle some bytes were turned over."""
    whole = bytearray(workbook([SITES, *repeated(b"<row><c><v>1</v></c></row>", 20_000)]))
    for at in range(len(whole) // 3, len(whole) // 3 + 40):
        whole[at] ^= 0xFF
    return bytes(whole)


def damaged_gzip() -> bytes:
    """A gzip file in whose middle some bytes were turned over."""
    whole = bytearray(gzip.compress(b"".join(b'{"a": %d}\n' % number for number in range(20_000))))
    for at in range(len(whole) // 2, len(whole) // 2 + 40):
        whole[at] ^= 0xFF
    return bytes(whole)


def deep_json() -> bytes:
    """A hundred thousand arrays inside one another."""
    return b'{"a":' + b"[" * 100_000
