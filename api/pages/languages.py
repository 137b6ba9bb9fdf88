"""The pages' languages and colour scheme: what a visitor chose, else what the browser asks for."""

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
"""What a page's text depends on beside its address."""

_YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Language:
    """A language that the pages speak.

    Parameters
    ----------
    tag
        BCP 47, as HTML writes it: ``"zh-Hant"``.
    name
        Its own name for itself.
    is_reviewed
        Whether a native speaker has read the translation; a page in a language where nobody has says so.
    """

    tag: str
    name: str
    is_reviewed: bool = False

    @property
    def locale(self) -> Locale:
        """CLDR's locale, for numbers, units, dates and countries' names."""
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
"""What some browsers still send for what ISO 639 renamed."""


def choose_language(asked: str | None, remembered: str | None, accepted: list[str]) -> Language:
    """Choose the language of an answer.

    Parameters
    ----------
    asked
        Tag that the request names itself; the first that is one of ours wins.
    remembered
        Tag in the cookie.
    accepted
        Tags that the browser accepts, best first. A dialect takes its language: ``"pt-BR"`` is answered in Portuguese.

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
    """Return the language of the answer to this request; English outside of one."""
    if not has_request_context():
        return ENGLISH
    if "language" not in g:
        remembered = request.cookies.get(LANGUAGE_COOKIE)
        asked = request.args.get("lang")
        g.language = choose_language(asked, remembered, [tag for tag, _ in request.accept_languages])
    chosen: Language = g.language
    return chosen


def speak(tag: str) -> None:
    """Answer this request in a language that it names in its body; any but ours changes nothing."""
    if tag in LANGUAGES:
        g.language = LANGUAGES[tag]


def set_theme(theme: str) -> None:
    """Answer this request in a colour scheme that it names in its body; any but ours changes nothing."""
    if theme in THEMES:
        g.theme = theme


def chosen_theme() -> str:
    """Return the colour scheme that the visitor chose: ``"auto"`` follows the system."""
    theme = g.get("theme") or request.cookies.get(THEME_COOKIE, "auto")
    return theme if theme in THEMES else "auto"


def remember(response: Response, *, language: str = "", theme: str = "") -> None:
    """Set a cookie for each choice that is one of ours. It holds the choice and nothing about the person."""
    secure = request.is_secure
    if language in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR_S, secure=secure, httponly=True, samesite="Lax")
    if theme in THEMES:
        # The page's script sets it too, so it is not for HTTP alone.
        response.set_cookie(THEME_COOKIE, theme, max_age=_YEAR_S, secure=secure, samesite="Lax")


def gettext(text: str, /, **values: object) -> str:
    """Give a text in the language of the request, with its named places filled."""
    return str(flask_babel.gettext(text, **values))


def ngettext(one: str, many: str, num: int, /, **values: object) -> str:
    """Give the form of a text that a number takes in the language of the request; ``%(num)s`` is the number."""
    return str(flask_babel.ngettext(one, many, num, **values))


def register(app: Flask) -> None:
    """Give templates the language, and gettext its catalogues."""
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
