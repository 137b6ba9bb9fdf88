"""``/``: the patient's page. It works without a script; with one, it asks for the results alone and swaps them in."""

from __future__ import annotations

import contextlib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from flask import Response, render_template, request

from api import problems, wording
from api.answers import checked, packed
from api.backend import Backend
from api.errors import problem_of
from api.faults import Fault, fault_of
from api.languages import VARY, current_language, ngettext, remember, set_theme, speak
from api.languages import gettext as _
from api.matches import find
from api.negotiate import HTML
from api.operations import Documented, Operation
from api.reading import read_form
from api.results import Results, results
from api.schemas import FormRequest
from sitematch.domain.policy import MAX_LIMIT
from sitematch.domain.units import KM_PER_MILE, Unit
from sitematch.errors import NotReady, SitematchError
from sitematch.gazetteer.grammar import COUNTRIES
from sitematch.services.finder import Finder

FORM = "application/x-www-form-urlencoded"
PART_HEADER = "Sitematch-Part"
"""Sent by the page's script: ``results`` asks for that part of the page alone."""

_STEPS = (5, 20, 100, MAX_LIMIT)
"""How many sites are shown at first, and after each press of "more"."""

_RADII = (25, 50, 100, 250, 500)
"""Distances to choose from, in kilometres or miles."""

_PROBLEMS = (
    problems.INVALID_INPUT,
    problems.INVALID_POSTCODE,
    problems.INVALID_COORDINATES,
    problems.INVALID_POLICY,
    problems.UNKNOWN_COUNTRY,
    problems.AMBIGUOUS_PLACE,
    problems.POSTCODE_NOT_FOUND,
    problems.TOWN_NOT_FOUND,
    problems.TOO_LARGE,
    problems.NOT_READY,
)


def blueprint(backend: Backend) -> Documented:
    """Make the routes."""
    routes = Documented("pages")

    @routes.serve(
        "GET",
        "/",
        Operation(
            summary="Show the form to a person",
            description="In the language of the `lang` parameter, of the cookie, or of Accept-Language.",
            tag="Pages",
            answers={"text/html": str},
        ),
    )
    def form() -> Response:
        response = Response(_page("find.html", backend, FormRequest(), Outcome()), content_type=HTML)
        response.headers["Vary"] = VARY
        return checked(packed(response))

    # POST, so that the postcode stays out of addresses, histories and referrers. The form changes nothing but the
    # visitor's own language, and reads no cookie of worth: another site that sent it on a visitor's behalf would gain
    # nothing, so it needs no CSRF token.
    @routes.serve(
        "POST",
        "/",
        Operation(
            summary="Show the ranked sites to a person",
            tag="Pages",
            body=FormRequest,
            body_type=FORM,
            answers={"text/html": str},
            problems=_PROBLEMS,
            example={"country": "US", "place": "33180"},
        ),
    )
    def answer() -> Response:
        return _answer("find.html", backend)

    return routes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a look-up: an answer, a fault of the person's, or neither before there was one.

    Parameters
    ----------
    answer, fault
        At most one of them.
    unavailable
        Whether the fault is ours.
    more
        How many sites to show next; 0 if all are shown.
    status
        HTTP status.
    """

    answer: Results | None = None
    fault: Fault | None = None
    unavailable: bool = False
    more: int = 0
    status: int = 200

    @property
    def heading(self) -> str:
        """What the results begin with, and the page is called; empty before there are any."""
        if self.unavailable:
            return _("The search is not available right now")
        if self.fault is not None:
            return self.fault.title
        if self.answer is None:
            return ""
        if not self.answer.cards:
            return _("No clinic can take a patient now")
        return ngettext("%(num)s clinic, best first", "%(num)s clinics, best first", len(self.answer.cards))


def _answer(template: str, backend: Backend) -> Response:
    asked, outcome = FormRequest(), Outcome()
    try:
        asked = read_form(FormRequest).chosen()
        speak(asked.lang)
        set_theme(asked.theme)
        if asked.place or asked.latitude or not (asked.lang or asked.theme):
            outcome = _look_up(backend, asked)
    except SitematchError as error:
        status = problem_of(error).status
        if status >= 500:
            outcome = Outcome(unavailable=True, status=status)
        else:
            outcome = Outcome(fault=fault_of(error, asked), status=status)
    part = request.headers.get(PART_HEADER) == "results"
    page = _page("_results.html" if part else template, backend, asked, outcome)
    # To a script the part has come in full, whatever it says; browsers would list another status as a fault of ours.
    response = Response(page, status=200 if part else outcome.status, content_type=HTML)
    if part:
        response.headers[PART_HEADER] = "results"
    if outcome.unavailable:
        response.headers["Retry-After"] = "5"
    response.headers["Cache-Control"] = "no-store"
    remember(response, language=asked.lang, theme=asked.theme)
    return packed(response)


def _look_up(backend: Backend, asked: FormRequest) -> Outcome:
    finder = backend.finder()
    wanted = asked.request()
    found = find(finder, wanted, backend)
    place = found.place
    if wanted.latitude is not None:
        name = _("From where you are")
    else:
        name = ", ".join(filter(None, (place.postcode, place.name, wording.country(place.country))))
    full = len(found.matches) == wanted.limit < len(finder.sites)
    more = next((step for step in _STEPS if step > wanted.limit), 0) if full and not found.outside_radius else 0
    return Outcome(answer=results(found, name), more=more)


def _page(template: str, backend: Backend, asked: FormRequest, outcome: Outcome) -> str:
    finder: Finder | None = None
    with contextlib.suppress(NotReady):
        finder = backend.finder()
    language = current_language()
    return render_template(
        template,
        action=request.path,
        countries=_countries(language.tag, tuple(COUNTRIES)),
        site_countries=_countries(language.tag, finder.countries if finder else ()),
        radii=_radii(language.tag),
        asked=asked,
        answer=outcome.answer,
        fault=outcome.fault,
        unavailable=outcome.unavailable or finder is None,
        heading=outcome.heading,
        more=outcome.more,
        study=finder and finder.study,
        attribution=finder.attribution if finder else (),
        translated=wording.translated,
        travel=wording.travel,
        day=wording.day,
        script_words=_script_words,
        tiles_url=backend.settings.tiles_url,
        tiles_attribution=backend.settings.tiles_attribution,
    )


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    options: tuple[tuple[str, str], ...]


def _radii(tag: str) -> tuple[_Group, ...]:
    """Offer distances in both units, that of the page's language first."""
    groups = [
        _Group(_("Kilometres"), tuple((f"{radius}km", wording.length(radius, Unit.KM)) for radius in _RADII)),
        _Group(
            _("Miles"),
            tuple((f"{radius}miles", wording.length(radius * KM_PER_MILE, Unit.MILES)) for radius in _RADII),
        ),
    ]
    return tuple(reversed(groups)) if tag == "en" else tuple(groups)


@lru_cache(maxsize=32)
def _countries(tag: str, codes: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Name countries in the page's language, in its alphabet's order."""
    return tuple(sorted(((wording.country(code), code) for code in codes), key=lambda pair: _fold(pair[0])))


def _fold(text: str) -> str:
    """Give what a name is sorted by: accents stand with their letter."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _script_words() -> dict[str, str]:
    """Give the texts that only the script shows."""
    return {
        "locating": _("Asking your device where you are…"),
        "denied": _("Your device did not tell where you are. Give a postcode or a town instead."),
        "myLocation": _("My location"),
        "shareTitle": _("Find a clinic near you"),
        "copied": _("The link was copied. Where you are is not in it."),
        "showMap": _("Show the map"),
        "hideMap": _("Hide the map"),
        "loadingMap": _("Loading the map…"),
        "mapFailed": _("The map could not be loaded. The list has everything that it would show."),
        "map": _("Map of the clinics and of where you are"),
        "you": _("You are somewhere in this circle"),
        "zoomIn": _("Zoom in"),
        "zoomOut": _("Zoom out"),
        "leftOut": _("left out"),
        "toList": _("Show in the list"),
        "ownMap": _("This map comes from our own server: nobody else learns where you look."),
        "tiles": _(
            "This map's pictures come from %(server)s, which learns which part of the world you look at, "
            "and not what you typed.",
            server="{server}",
        ),
        "data": _("Coastlines and borders: Natural Earth. Towns: GeoNames."),
    }
