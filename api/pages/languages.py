"""The pages' languages and colour scheme: the visitor's choice or, without one, the browser's preference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import flask_babel
from babel import Locale
from flask import Flask, Response, g, has_request_context, request

TRANSLATIONS = Path(__file__).parents[1] / "translations"

LANGUAGE_COOKIE = "sitematch_language"
THEME_COOKIE = "sitematch_theme"
THEMES = ("auto", "light", "dark")

VARY = "Accept-Language, Cookie"
"""Headers that a page's text depends on, in addition to its URL."""

_YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the pages.

    Parameters
    ----------
    tag
        BCP 47, as in HTML: ``"zh-Hant"``.
    name
        Its name in the language itself.
    is_reviewed
        Whether a native speaker has checked the translation; otherwise the page has a note.
    """

    tag: str
    name: str
    is_reviewed: bool = False

    @property
    def locale(self) -> Locale:
        """Return CLDR's locale, for numbers, units, dates and countries' names."""
        return Locale.parse(self.tag, sep="-")

    @property
    def direction(self) -> str:
        """``"ltr"`` or ``"rtl"``."""
        return self.locale.text_direction


ENGLISH = Language("en", "English", is_reviewed=True)

LANGUAGES = {
    language.tag: language
    for language in (
        ENGLISH,
        Language("es", "Español"),
        Language("fr", "Français"),
        Language("de", "Deutsch"),
        Language("pt", "Português"),
        Language("ja", "日本語"),
        Language("zh-Hant", "繁體中文"),
        Language("he", "עברית"),
    )
}
"""By tag, in the order of the menu."""

_OLD_CODES = {"iw": "he"}
"""Old codes of ISO 639 that some browsers still send."""


def choose_language(asked: str | None, remembered: str | None, accepted: list[str]) -> Language:
    """Choose the language of an answer.

    Parameters
    ----------
    asked
        Tags in the request itself; the first supported one is used.
    remembered
        Tag in the cookie.
    accepted
        Tags that the browser accepts, best first. A dialect uses its main language: ``"pt-BR"`` gives Portuguese.

    Examples
    --------
    >>> choose_language(None, None, ["nl", "pt-BR", "en"]).tag, choose_language(None, "he", ["en"]).tag
    ('pt', 'he')
    >>> choose_language("tlh", None, ["zh-TW"]).tag, choose_language(None, None, []).tag
    ('zh-Hant', 'en')
    """
    by_primary = {tag.partition("-")[0]: language for tag, language in LANGUAGES.items()}
    for tag in (asked, remembered):
        if tag in LANGUAGES:
            return LANGUAGES[tag]
    for tag in accepted:
        primary = tag.lower().replace("_", "-").partition("-")[0]
        found = by_primary.get(_OLD_CODES.get(primary, primary))
        if found is not None:
            return found
    return ENGLISH


def current_language() -> Language:
    """Return the language of the answer to this request; English outside a request."""
    if not has_request_context():
        return ENGLISH
    if "language" not in g:
        remembered = request.cookies.get(LANGUAGE_COOKIE)
        asked = request.args.get("lang")
        g.language = choose_language(asked, remembered, [tag for tag, _ in request.accept_languages])
    chosen: Language = g.language
    return chosen


def speak(tag: str) -> None:
    """Set the language of this answer from the request's body; unsupported languages change nothing."""
    if tag in LANGUAGES:
        g.language = LANGUAGES[tag]


def set_theme(theme: str) -> None:
    """Set the colour scheme of this answer from the request's body; unsupported values change nothing."""
    if theme in THEMES:
        g.theme = theme


def chosen_theme() -> str:
    """Return the colour scheme that the visitor chose: ``"auto"`` follows the system."""
    theme = g.get("theme") or request.cookies.get(THEME_COOKIE, "auto")
    return theme if theme in THEMES else "auto"


def remember(response: Response, *, language: str = "", theme: str = "") -> None:
    """Set a cookie for each supported choice. It contains only the choice, and nothing about the person."""
    secure = request.is_secure
    if language in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR_S, secure=secure, httponly=True, samesite="Lax")
    if theme in THEMES:
        # The page's script also sets it, so it is not HttpOnly.
        response.set_cookie(THEME_COOKIE, theme, max_age=_YEAR_S, secure=secure, samesite="Lax")


def gettext(text: str, /, **values: object) -> str:
    """Return a text in the language of the request, with its placeholders filled."""
    return str(flask_babel.gettext(text, **values))


def ngettext(one: str, many: str, num: int, /, **values: object) -> str:
    """Return the plural form of a text for a number in the language of the request; ``%(num)s`` is the number."""
    return str(flask_babel.ngettext(one, many, num, **values))


def register(app: Flask) -> None:
    """Add the language and gettext's catalogues to templates."""
    flask_babel.Babel(
        app,
        default_translation_directories=str(TRANSLATIONS),
        locale_selector=lambda: current_language().locale,
    )
    app.context_processor(
        lambda: {
            "language": current_language(),
            "languages": tuple(LANGUAGES.values()),
            "theme": chosen_theme(),
        }
    )
