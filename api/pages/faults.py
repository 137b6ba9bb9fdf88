"""Errors on the patient's page: what is wrong, in the person's language, and what to select."""

from __future__ import annotations

from dataclasses import dataclass

from api.pages import wording
from api.pages.form import FormRequest
from api.pages.languages import gettext as _
from api.pages.messages import in_language
from sitematch import errors
from sitematch.errors import SitematchError, Suggestion
from sitematch.gazetteer.grammar import COUNTRIES
from sitematch.gazetteer.grammar.forms import form_of


@dataclass(frozen=True, slots=True)
class SuggestedPlace:
    """A suggestion.

    Parameters
    ----------
    value
        The value that the form sends.
    text
        The place.
    about
        A text that distinguishes it from others.
    """

    value: str
    text: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedLookUp:
    """A failed look-up.

    Parameters
    ----------
    title, text
        The error, and what to do.
    field
        The form field with the error; empty if the error is not in the input.
    choices
        The suggestions, best first.
    more
        More information from the library; may be empty.
    is_question
        Whether there is no error, and the person only has to choose.
    """

    title: str
    text: str
    field: str = "place"
    choices: tuple[SuggestedPlace, ...] = ()
    more: str = ""
    is_question: bool = False


def fault_of(error: SitematchError, asked: FormRequest) -> FailedLookUp:
    """Return the texts for an error.

    Parameters
    ----------
    error
        The error of the look-up.
    asked
        The person's input.
    """
    choices = _choices(error, asked)
    match error:
        case errors.StudyNotFound():
            return FailedLookUp(
                title=_("We cannot find this study"),
                text=_("Check the address of this page. It should contain the study's registry number."),
                field="",
            )
        case _ if not asked.place.strip() and not asked.latitude:
            return FailedLookUp(title=_("Where are you?"), text=_("Enter a postcode or town."))
        case errors.OwnLocationWanted():
            return FailedLookUp(
                title=_("Where are you?"), text=_("Press “Use my location”, or enter a postcode or town.")
            )
        case errors.ForcesPostcode():
            return FailedLookUp(
                title=_("This is a military postcode"), text=_("It has no place on the map. Enter a town near you.")
            )
        case errors.UnknownCountry():
            return FailedLookUp(
                title=_("We do not recognise this country"), text=_("Choose one from the list."), field="country"
            )
        case errors.AmbiguousPlace() if error.field == "country":
            return FailedLookUp(
                title=_("Several countries have this postcode"),
                text=_("Which country do you mean?"),
                field="country",
                choices=choices,
                is_question=True,
            )
        case errors.OnlyRegionGiven():
            return FailedLookUp(
                title=_("Which town?"),
                text=_("You entered a region or a country. Enter a town or postcode in it."),
                choices=choices,
                is_question=True,
            )
        case errors.AmbiguousPlace():
            return FailedLookUp(
                title=_("Several places have this name"),
                text=_("Which place do you mean?"),
                choices=choices,
                is_question=True,
            )
        case errors.InvalidPostcode():
            return FailedLookUp(title=_not_a_postcode(asked.country), text=_what_now(asked, choices), choices=choices)
        case errors.PostcodeNotFound():
            return FailedLookUp(
                title=_("We cannot find this postcode"), text=_what_now(asked, choices), choices=choices
            )
        case errors.TownNotFound():
            return FailedLookUp(
                title=_("We cannot find a town with this name"),
                text=_("Did you mean one of these?")
                if choices
                else _("Check the spelling and the country, or enter a postcode or a larger town nearby."),
                choices=choices,
            )
    return FailedLookUp(
        title=_("There is a problem with the form"),
        text=_("Check your answers and try again."),
        field=error.field or "",
        more=in_language(error.said),
    )


def _not_a_postcode(code: str) -> str:
    if code in COUNTRIES:
        return _("Not a valid postcode for %(country)s", country=wording.country(code))
    return _("We do not recognise this postcode")


def _what_now(asked: FormRequest, choices: tuple[SuggestedPlace, ...]) -> str:
    if choices:
        return _("Did you mean one of these?")
    form = form_of(asked.country) if asked.country in COUNTRIES else None
    if form is not None:
        return _(
            "A postcode there looks like %(example)s. Check it, or enter a town instead.",
            example=wording.isolated(form.example),
        )
    return _("Check it, choose the country, or enter a town instead.")


def _choices(error: SitematchError, asked: FormRequest) -> tuple[SuggestedPlace, ...]:
    offered: tuple[Suggestion, ...] = getattr(error, "candidates", ()) or getattr(error, "suggestions", ())
    texts = [suggestion.text for suggestion in offered]
    # The country is shown unless all of them are in the requested one.
    is_elsewhere = {suggestion.country for suggestion in offered} != {asked.country} or len(set(texts)) < len(texts)
    return tuple(
        SuggestedPlace(
            value=f"{suggestion.country}|{suggestion.text}",
            text=f"{suggestion.text}, {wording.country(suggestion.country)}" if is_elsewhere else suggestion.text,
            about=in_language(suggestion.why),
        )
        for suggestion in offered
    )
