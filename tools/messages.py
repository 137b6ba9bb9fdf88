"""Bring the translations in step with the pages' texts.

Run ``python -m tools.messages``: it reads every text that is marked in api/, every `Message` of the library and the
default study's own words, writes api/translations/messages.pot, and merges it into each language's messages.po. A new
text is left empty, and shown in English until somebody fills it in; a changed one is left empty as well, rather than
guessed.
"""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from api.pages.languages import ENGLISH, LANGUAGES, TRANSLATIONS

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = TRANSLATIONS / "messages.pot"
STUDY = ROOT / "data" / "study.json"
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "N_": None}


def gather() -> Catalog:
    """Collect every text that a page may show, with where it stands."""
    catalogue = Catalog(project="sitematch", version="", fuzzy=False)
    found = extract_from_dir(
        ROOT / "api",
        method_map=_METHODS,
        options_map={"templates/**.html": {"trimmed": "true", "silent": "false"}},
        keywords=_KEYWORDS,
        comment_tags=["Translators:"],
        strip_comment_tags=True,
    )
    for name, line, message, comments, context in found:
        # The console is in English, so no translator is asked for its words (see `api.console.page.guard`).
        if not {"frontend", "console"} & set(Path(name).parts):
            catalogue.add(message, None, [(f"api/{name}", line)], auto_comments=comments, context=context)
    told = extract_from_dir(ROOT / "sitematch", method_map=_METHODS[:1], keywords={"Message": None, "pattern": None})
    for name, line, message, _, _ in told:
        catalogue.add(message, None, [(f"sitematch/{name}", line)])
    for text in study_texts():
        catalogue.add(text, None, [("data/study.json", 1)])
    return catalogue


def study_texts() -> list[str]:
    """List the default study's own words, which patients read."""
    study = json.loads(STUDY.read_text(encoding="utf-8"))
    texts = [study["title"], study["summary"], study["notice"], study["source"], study["time_reimbursement"]]
    texts += [*study["who"], *study["who_not"]]
    texts += [phase["name"] for phase in study["timeline"]]
    return [text for text in texts if text]


def render(catalogue: Catalog) -> bytes:
    """Write a catalogue the way it is committed: in the order of the messages' text, without a date."""
    written = BytesIO()
    write_po(
        written, catalogue, sort_output=True, omit_header=False, include_previous=False, width=110, no_location=True
    )
    lines = written.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith((b'"POT-Creation', b'"PO-Revision', b'"Generated')))


def merged(template: Catalog, tag: str) -> Catalog:
    """Merge the template into what a language has; what is gone from the pages is gone from it."""
    locale = Locale.parse(tag, sep="-")
    path = catalogue_path(tag)
    if path.exists():
        with path.open("rb") as text:
            catalogue = read_po(text, locale=locale)
    else:
        catalogue = Catalog(locale=locale, project="sitematch", version="", fuzzy=False)
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def catalogue_path(tag: str) -> Path:
    """Return where a language's translation lies."""
    return TRANSLATIONS / tag.replace("-", "_") / "LC_MESSAGES" / "messages.po"


def main() -> None:
    """Write the template and every language's catalogue, and say how much is translated."""
    template = gather()
    TEMPLATE.parent.mkdir(exist_ok=True)
    TEMPLATE.write_bytes(render(template))
    for tag in LANGUAGES:
        if tag == ENGLISH.tag:
            continue
        catalogue, path = merged(template, tag), catalogue_path(tag)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(render(catalogue))
        done = sum(1 for message in catalogue if message.id and all(_strings(message.string)))
        print(f"{tag}: {done} of {len(catalogue)}")


def _strings(string: str | tuple[str, ...] | list[str] | None) -> tuple[str | None, ...]:
    return tuple(string) if isinstance(string, (tuple, list)) else (string,)


if __name__ == "__main__":
    main()
