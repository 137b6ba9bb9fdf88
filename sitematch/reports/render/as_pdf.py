"""A report as PDF: the page of `as_html`, printed by WeasyPrint."""

from __future__ import annotations

import hashlib

from sitematch.errors import NotReady
from sitematch.reports.document import Report
from sitematch.reports.render import as_html


def render(report: Report) -> bytes:
    """Write a report as PDF, A4 across, with what it is about and the page's number at the foot of each page.

    Parameters
    ----------
    report
        The report. The same one gives the same bytes with the same fonts and releases.

    Raises
    ------
    NotReady
        If the machine has no Pango, which sets the text.
    """
    try:
        from weasyprint import HTML
    except OSError as error:
        raise NotReady(
            "PDF needs the library Pango and a font, which are not installed. On Debian or Ubuntu: apt-get install "
            "libpango-1.0-0 libpangoft2-1.0-0 fonts-dejavu-core; on macOS: brew install pango. HTML and all other "
            "formats work without them."
        ) from error
    page = as_html.render(report)
    # The identifier is otherwise drawn by lot; no date is written unless the page names one.
    identifier = hashlib.sha256(page).hexdigest()[:32].encode()
    written: bytes = HTML(string=page.decode(), url_fetcher=_fetch_nothing).write_pdf(
        pdf_identifier=identifier, pdf_tags=True
    )
    return written


def _fetch_nothing(url: str) -> dict[str, object]:
    raise ValueError(f"A report does not load other files: {url}.")
