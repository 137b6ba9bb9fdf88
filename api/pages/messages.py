"""Sentences of the library in the language of the request: their patterns are translated, their facts are put in."""

from __future__ import annotations

from babel import lists
from markupsafe import Markup, escape

from api.pages import wording
from api.pages.languages import ENGLISH, current_language
from api.pages.languages import gettext as _
from sitematch.domain.message import CountryName, Enumeration, Fact, Message


def in_language(text: str) -> Markup:
    """Return a sentence of the library in the page's language.

    Parameters
    ----------
    text
        A `Message`; any other text, and a pattern without a translation, stays English and is marked as such.
    """
    if current_language() is ENGLISH:
        return escape(str(text))
    if not isinstance(text, Message):
        return wording.translated(text)
    if all(isinstance(fact, Message) for fact in text.facts.values()) and text.facts:
        # Sentences in a row: there is nothing but them to translate.
        return escape(text.pattern) % {name: _fact(fact) for name, fact in text.facts.items()}
    return wording.translated(text.pattern) % {name: _fact(fact) for name, fact in text.facts.items()}


def _fact(fact: Fact) -> Markup:
    match fact:
        case Message():
            return in_language(fact)
        case int():
            return escape(wording.number(fact))
        case CountryName():
            return escape(_country(fact))
        case Enumeration():
            items = list(map(_named, fact.items))
            if fact.more:
                items.append(_("%(count)s more", count=wording.number(fact.more)))
            locale = current_language().locale
            return escape(lists.format_list(items, "or" if fact.is_choice else "standard", locale))
        case tuple():
            return escape(", ".join(map(_named, fact)))
    return escape(wording.isolated(fact))


def _named(item: str | CountryName) -> str:
    return _country(item) if isinstance(item, CountryName) else wording.isolated(item)


def _country(country: CountryName) -> str:
    name = wording.country(country.code)
    return f"{name} ({country.code})" if country.has_code else name
