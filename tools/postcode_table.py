"""Write the table of countries in docs/postcodes.md from the grammar; a test holds it in step.

Run ``python -m tools.postcode_table``.
"""

from __future__ import annotations

import re
from pathlib import Path

from sitematch.config import data_file
from sitematch.gazetteer.grammar import COUNTRIES, has_postcodes, key_of, normal_form, rungs
from sitematch.gazetteer.grammar.forms import FULL_CODES_UNKNOWN, form_of
from sitematch.gazetteer.reader import Reader
from sitematch.gazetteer.units import UNIT_COUNTRIES

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "postcodes.md"
BETWEEN = re.compile(r"(<!-- table of countries -->\n).*?(<!-- end of table -->)", re.DOTALL)


def table() -> str:
    """Give the table as Markdown."""
    reader = Reader(data_file("gazetteer.sqlite"))
    lines = ["| country | looks like | falls back to | full codes |", "|---|---|---|---|"]
    for country in COUNTRIES:
        form = form_of(country)
        if form is None or not has_postcodes(country):
            continue
        ladder = rungs(country, key_of(country, form.example))
        parts = " → ".join(f"{normal_form(country, rung.key)} ({rung.precision.lower()})" for rung in ladder[1:])
        listed = "listed"
        if country in FULL_CODES_UNKNOWN and country not in UNIT_COUNTRIES:
            listed = "parts only" if reader.has_any(country) else "none: give the town"
        lines.append(f"| {COUNTRIES[country].name} ({country}) | {form.example} | {parts or 'nothing'} | {listed} |")
    return "\n".join(lines) + "\n"


def filled(text: str) -> str:
    """Give the document's text with the table renewed."""
    return BETWEEN.sub(lambda found: f"{found[1]}{table()}{found[2]}", text)


if __name__ == "__main__":
    DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
