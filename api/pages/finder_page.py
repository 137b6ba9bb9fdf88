"""The two variants of the finder: the patient's page, and the same page in a frame on another website."""

from __future__ import annotations

import contextlib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import msgspec
from flask import Response, render_template, request

from api.backend import Backend
from api.http.answers import checked, packed
from api.http.errors import problem_of
from api.http.headers import content_security_policy
from api.http.negotiation import HTML
from api.http.reading import read_form, spoken_languages
from api.pages import wording
from api.pages.faults import FailedLookUp, fault_of
from api.pages.form import FormRequest, read_address
from api.pages.languages import VARY, current_language, ngettext, remember, set_theme, speak
from api.pages.languages import gettext as _
from api.pages.results import NoClinicReason, Results, results
from api.pages.study_facts import study_facts
from api.v1.matches import find
from sitematch.domain.finding.policy import MAX_LIMIT
from sitematch.domain.place import Place
from sitematch.domain.units import KM_PER_MILE, Unit
from sitematch.errors import SitematchError, StudyNotFound
from sitematch.gazetteer.grammar import COUNTRIES
from sitematch.gazetteer.towns import nearest_town
from sitematch.services.finding.finder import Finder

PART_HEADER = "Sitematch-Part"
"""Header from the page's script: ``results`` requests only that part of the page."""

_MORE = 10
"""Number of sites that each "more" adds."""

_NEAR_KM = 50.0
"""A town farther than this from a location does not describe it."""

_SENT_AGAIN = 100
"""Maximum length of a field that the language menu sends again; real values are never longer."""

_RADII = (25, 50, 100, 250, 500)
"""The offered distances, in kilometres or miles."""

_DURATIONS = (30, 60, 90, 120, 180, 240)
"""Times by car to choose from, in minutes."""


@dataclass(frozen=True, slots=True)
class FinderOutcome:
    """The result of a look-up: an answer, an error in the input, or neither before the first look-up.

    Parameters
    ----------
    answer, fault
        At most one of them.
    unavailable
        Whether the error is on our side.
    more
        The number of sites to show next; 0 if all are shown.
    clinics
        The number of the study's sites.
    status
        HTTP status.
    """

    answer: Results | None = None
    fault: FailedLookUp | None = None
    unavailable: bool = False
    more: int = 0
    clinics: int = 0
    status: int = 200

    @property
    def heading(self) -> str:
        """Return the heading of the results and the title of the page; empty before there are any."""
        if self.unavailable:
            return _("The search is not available right now")
        if self.fault is not None:
            return self.fault.title
        if self.answer is None:
            return ""
        if not self.answer.cards:
            return {
                NoClinicReason.STUDY_FULL: _("The study is full"),
                NoClinicReason.STUDY_CLOSED: _("The study has stopped taking new patients"),
                NoClinicReason.NOT_RECRUITING: _("The study is not taking patients now"),
                NoClinicReason.FILTERED: _("No clinic fits your filters"),
                NoClinicReason.OTHER: _("No clinic can take a patient now"),
            }[self.answer.nobody]
        shown = len(self.answer.cards)
        if shown < self.clinics:
            return _("%(shown)s of %(all)s clinics, best first", shown=shown, all=self.clinics)
        return ngettext("%(num)s clinic, best first", "%(num)s clinics, best first", shown)


class FinderVariant:
    """One of the two variants of the finder: a separate page, or in a frame.

    Parameters
    ----------
    backend
        Has the finder.
    template
        The template.
    is_framed
        Whether other websites may show it in a frame. It then remembers no choices, which the embedding page makes.
    """

    def __init__(self, backend: Backend, template: str, *, is_framed: bool = False) -> None:
        self._backend = backend
        self._template = template
        self._is_framed = is_framed

    def form(self) -> Response:
        """Show the page before a look-up."""
        asked, outcome = read_address(), FinderOutcome()
        try:
            self._backend.finder(asked.study or None)
        except StudyNotFound as error:
            outcome = FinderOutcome(fault=fault_of(error, asked), status=404)
        except SitematchError as error:
            outcome = FinderOutcome(unavailable=True, status=problem_of(error).status)
        response = self._respond(self._template, asked, outcome)
        response.headers["Vary"] = VARY
        return checked(packed(response)) if outcome.status == 200 else response

    def answer(self) -> Response:
        """Answer a look-up: with the whole page or, for its script, only the results."""
        asked, outcome = FormRequest(), FinderOutcome()
        try:
            asked = read_form(FormRequest).chosen()
            speak(asked.lang)
            set_theme(asked.theme)
            if asked.place or asked.latitude or not (asked.lang or asked.theme):
                outcome = self._look_up(asked)
        except SitematchError as error:
            status = problem_of(error).status
            if status >= 500:
                outcome = FinderOutcome(unavailable=True, status=status)
            else:
                outcome = FinderOutcome(fault=fault_of(error, asked), status=status)
        is_part = request.headers.get(PART_HEADER) == "results"
        response = self._respond("_results.html" if is_part else self._template, asked, outcome)
        if is_part:
            # A script always gets the part with 200, because browsers log other statuses as errors of the page.
            response.status_code = 200
            response.headers[PART_HEADER] = "results"
        response.headers["Cache-Control"] = "no-store"
        if not self._is_framed:
            remember(response, language=asked.lang, theme=asked.theme)
        return packed(response)

    def _look_up(self, asked: FormRequest) -> FinderOutcome:
        finder = self._backend.finder(asked.study or None)
        wanted = asked.request()
        here = wanted.point()
        town = nearest_town(finder.gazetteer.reader, here.coordinates, _NEAR_KM) if here else None
        if town is not None:
            # Its country decides between kilometres and miles.
            wanted = msgspec.structs.replace(wanted, country=wanted.country or town.country)
        found = find(finder, wanted, self._backend, languages=(*spoken_languages(), current_language().tag))
        name = _("Your location") if here else _name(found.place)
        if town is not None:
            name = _("Your location, near %(town)s", town=wording.isolated(_name(town.place())))
        full = len(found.matches) == wanted.limit < min(len(finder.sites), MAX_LIMIT)
        more = min(wanted.limit + _MORE, MAX_LIMIT) if full and not found.outside_radius else 0
        return FinderOutcome(
            answer=results(found, name, finder.study, finder.contacts), more=more, clinics=len(finder.sites)
        )

    def _respond(self, template: str, asked: FormRequest, outcome: FinderOutcome) -> Response:
        response = Response(self._render(template, asked, outcome), status=outcome.status, content_type=HTML)
        if outcome.unavailable:
            response.headers["Retry-After"] = "5"
        if self._is_framed:
            settings = self._backend.settings
            policy = content_security_policy(settings, frame_ancestors=settings.frame_ancestors)
            response.headers["Content-Security-Policy"] = policy
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    def _render(self, template: str, asked: FormRequest, outcome: FinderOutcome) -> str:
        finder: Finder | None = None
        if not outcome.unavailable:
            with contextlib.suppress(SitematchError):  # the outcome says what is wrong
                finder = self._backend.finder(asked.study or None)
        tag = current_language().tag
        return render_template(
            template,
            action=_action(),
            countries=_countries(tag, tuple(COUNTRIES)),
            site_countries=_countries(tag, finder.countries if finder else ()),
            radii=_radii(tag),
            has_times=finder is not None and finder.has_times,
            durations=tuple((str(minutes), wording.duration(minutes)) for minutes in _DURATIONS),
            asked=asked,
            sent={
                name: text[:_SENT_AGAIN]
                for name, text in msgspec.structs.asdict(asked).items()
                if name not in ("lang", "theme")  # sent by the menu's buttons
            },
            answer=outcome.answer,
            fault=outcome.fault,
            unavailable=outcome.unavailable,
            heading=outcome.heading,
            more=outcome.more,
            study=finder and finder.study,
            facts=study_facts(finder.study) if finder else None,
            attribution=finder.attribution if finder else (),
            translated=wording.translated,
            isolated=wording.isolated,
            travel=wording.travel,
            day=wording.day,
            script_words=_script_words,
            tiles_url=self._backend.settings.tiles_url,
            tiles_attribution=self._backend.settings.tiles_attribution,
        )


def _action() -> str:
    """Return the URL of the forms; it has the language if the page's own URL has it."""
    tag = current_language().tag
    return f"{request.path}?lang={tag}" if request.args.get("lang") == tag else request.path


def _name(place: Place) -> str:
    return ", ".join(filter(None, (place.postcode, place.name, wording.country(place.country))))


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    options: tuple[tuple[str, str], ...]


def _radii(tag: str) -> tuple[_Group, ...]:
    """Return the offered distances in both units, with the unit of the page's language first."""
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
    """Return the countries' names in the page's language, in alphabetical order."""
    return tuple(sorted(((wording.country(code), code) for code in codes), key=lambda pair: _fold(pair[0])))


def _fold(text: str) -> str:
    """Return the sort key of a name, in which accented letters are next to their base letter."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _script_words() -> dict[str, str]:
    """Return the texts that only the script shows."""
    return {
        "locating": _("Getting your location…"),
        "denied": _("Your device did not share your location. Enter a postcode or town instead."),
        "myLocation": _("My location"),
        "shareTitle": _("Find a clinic near you"),
        "copied": _("The link was copied. It does not contain your location."),
        "showMap": _("Show the map"),
        "hideMap": _("Hide the map"),
        "loadingMap": _("Loading the map…"),
        "mapFailed": _("The map could not be loaded. The list shows the same clinics."),
        "map": _("Map of the clinics and your location"),
        "you": _("You are somewhere in this circle."),
        "zoomIn": _("Zoom in"),
        "zoomOut": _("Zoom out"),
        "leftOut": _("left out"),
        "toList": _("Show in the list"),
        "ownMap": _("This map comes from our own server. Nobody else can see which area you look at."),
        "tiles": _(
            "The map images come from %(server)s. It can see which area you look at, but not what you typed.",
            server="{server}",
        ),
        "data": _("Coastlines and borders: Natural Earth. Towns: GeoNames."),
    }
