"""The form of the patient's page: texts from the browser, parsed as a look-up."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from flask import request
from msgspec import Meta

from api.v1.schemas.finding import MatchRequest
from sitematch.errors import InvalidInput
from sitematch.exporters.wire.matches import Wire
from sitematch.gazetteer.grammar import COUNTRIES


class PageQuery(Wire, frozen=True):
    """The parameters in the page's URL: nothing about the person's location except the country."""

    study: Annotated[str, Meta(description="The study; empty for this server's default study.")] = ""
    country: Annotated[str, Meta(description="ISO 3166-1 code of the preselected country.")] = ""
    lang: Annotated[str, Meta(description="Language tag of the page.")] = ""


class FormRequest(Wire, frozen=True, forbid_unknown_fields=True):
    """The form of the patient's page. Every field is text, and empty if the person chose nothing."""

    study: Annotated[str, Meta(description="The study; empty for this server's default study.")] = ""
    place: Annotated[str, Meta(description="A postcode or a town's name.")] = ""
    country: Annotated[str, Meta(description="ISO 3166-1 code; empty if not sure.")] = ""
    choice: Annotated[str, Meta(description='The chosen suggestion, in place of country and place: "US|04102".')] = ""
    latitude: Annotated[str, Meta(description="Latitude of the person's device, if no place is given.")] = ""
    longitude: Annotated[str, Meta(description="Longitude of the person's device.")] = ""
    accuracy_m: Annotated[str, Meta(description="The accuracy that the device reports, in metres.")] = ""
    within: Annotated[str, Meta(description='Radius with its unit, "50km" or "50miles"; empty for no limit.')] = ""
    minutes: Annotated[str, Meta(description="The most minutes by car; empty for no limit.")] = ""
    order: Annotated[str, Meta(description="As order of `MatchRequest`; empty for the default.")] = ""
    travel: Annotated[str, Meta(description="As min_travel of `MatchRequest`; empty for any.")] = ""
    only_country: Annotated[str, Meta(description="Only sites in this country; empty for any.")] = ""
    show: Annotated[str, Meta(description="The most sites to return.")] = ""
    lang: Annotated[str, Meta(description="Language tag for the answer, stored in a cookie.")] = ""
    theme: Annotated[str, Meta(description="auto, light or dark, stored in a cookie.")] = ""

    def chosen(self) -> FormRequest:
        """Replace the typed text by the suggestion that the person selected, if any."""
        country, parted, place = self.choice.partition("|")
        if not parted:
            return self
        return msgspec.structs.replace(self, place=place, country=country, choice="", latitude="", longitude="")

    def request(self) -> MatchRequest:
        """Parse the texts as a look-up.

        Raises
        ------
        InvalidInput
            If a number or a choice is invalid; `.field` names it.
        """
        within = _WITHIN.fullmatch(self.within)
        if self.within and within is None:
            raise InvalidInput("Give the distance as a number and km or miles.", field="within")
        bound = {} if within is None else {f"within_{within['unit']}": within["number"]}
        here = {} if self.place.strip() else {"latitude": self.latitude, "longitude": self.longitude}
        if any(here.values()) and self.accuracy_m:
            here["uncertainty_km"] = f"{_number(self.accuracy_m, 'accuracy_m') / 1000.0}"
        texts = {
            "study_id": self.study,
            "country": self.country,
            "max_minutes": self.minutes,
            "order": self.order,
            "min_travel": self.travel,
            "only_country": self.only_country,
            "limit": self.show,
            **bound,
            **here,
        }
        given: dict[str, object] = {name: text for name, text in texts.items() if text}
        if not any(here.values()):
            given["postcode"] = self.place
        try:
            return msgspec.convert(given, MatchRequest, strict=False)
        except msgspec.ValidationError as error:
            raise InvalidInput(f"{error}.", field="place") from None


_WITHIN = re.compile(r"(?P<number>[0-9]{1,5})(?P<unit>km|miles)")


def _number(text: str, field: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidInput(f"{field} is not a number.", field=field) from None


def read_address() -> FormRequest:
    """Read the form's initial state from the page's URL; other parameters are ignored."""
    given = {field: request.args.get(field, "") for field in PageQuery.__struct_fields__}
    country = given["country"].upper()
    return FormRequest(study=given["study"], country=country if country in COUNTRIES else "", lang=given["lang"])
