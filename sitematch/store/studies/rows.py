"""Studies and sites as rows of the catalogue, and back; lists and small records are JSON texts."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from sitematch.domain.finding.clinic import clinic_number
from sitematch.domain.grid_cells import cell_of
from sitematch.domain.place import Coordinates, Place, Precision
from sitematch.domain.studies.design import TrialDesign
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Phase, RecruitmentStatus, Study
from sitematch.domain.studies.travel import TravelCertainty, TravelKind, TravelSupport
from sitematch.errors import InvalidInput

_TEXTS = msgspec.json.Decoder(tuple[str, ...])
_DESIGN = msgspec.json.Decoder(TrialDesign)
_PHASES = msgspec.json.Decoder(tuple[Phase, ...])
_STUDY_LISTS = ("other_ids", "conditions", "keywords", "interventions", "phases", "who", "who_not", "history")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def study_values(study: Study) -> dict[str, Any]:
    """Return a study as the columns of its row."""
    plain = {
        name: getattr(study, name)
        for name in Study.__slots__
        if name not in (*_STUDY_LISTS, "travel", "timeline", "status", "design")
    }
    return {
        **plain,
        **{name: _json(getattr(study, name)) for name in (*_STUDY_LISTS, "timeline")},
        "design": _json(study.design),
        "status": study.status.value,
        "travel_certainty": study.travel.certainty.value,
        "travel_kinds": _json(study.travel.kinds),
    }


def study_of(row: sa.Row[Any]) -> Study:
    """Return the study of a row."""
    values = dict(row._mapping)
    travel = _travel(values.pop("travel_certainty"), values.pop("travel_kinds"))
    for name in _STUDY_LISTS:
        values[name] = _TEXTS.decode(values[name])
    values["design"] = _DESIGN.decode(values["design"])
    values["timeline"] = _PHASES.decode(values["timeline"])
    values["status"] = RecruitmentStatus(values["status"])
    return Study(**values, travel=travel)


def site_values(position: int, site: Site, study_id: str) -> dict[str, Any]:
    """Return a site as the columns of its row.

    Parameters
    ----------
    position
        Its position in the order of the study's sites, from 0.
    site
        The site.
    study_id
        The study that is written.

    Raises
    ------
    InvalidInput
        If the site belongs to another study.
    """
    if site.study_id != study_id:
        raise InvalidInput(
            f"Site {site.site_id} belongs to study {site.study_id}, not to {study_id}.", field="study_id"
        )
    place = site.place
    return {
        "site_id": site.site_id,
        "study_id": site.study_id,
        "position": position,
        "source_study": site.source_study,
        "facility": site.facility,
        "city": site.city,
        "state": site.state,
        "postcode": site.postcode,
        "country": site.country,
        "status": site.status.value,
        "as_of_on": site.as_of_on,
        "latitude_deg": place and place.coordinates.latitude,
        "longitude_deg": place and place.coordinates.longitude,
        "precision": place and place.precision.value,
        "uncertainty_km": place and place.uncertainty_km,
        "place_source": place and place.source,
        "place_country": place and place.country,
        "place_name": place and place.name,
        "place_postcode": place and place.postcode,
        "place_notes": place and _json(place.notes),
        "travel_certainty": site.travel.certainty.value,
        "travel_kinds": _json(site.travel.kinds),
        "time_reimbursement": site.time_reimbursement,
        "spots": site.spots,
        "flags": _json(site.flags),
        "cell": cell_of(None if place is None else place.coordinates),
        "address": site.address,
        "opened_on": site.opened_on,
        "clinic": clinic_number(site.facility, site.city, site.country, site.site_id),
    }


def site_of(row: sa.Row[Any]) -> Site:
    """Return the site of a row."""
    return Site(
        site_id=row.site_id,
        study_id=row.study_id,
        source_study=row.source_study,
        facility=row.facility,
        city=row.city,
        state=row.state,
        postcode=row.postcode,
        country=row.country,
        place=_place(row),
        status=RecruitmentStatus(row.status),
        travel=_travel(row.travel_certainty, row.travel_kinds),
        time_reimbursement=row.time_reimbursement,
        spots=row.spots,
        as_of_on=row.as_of_on,
        flags=_TEXTS.decode(row.flags),
        address=row.address,
        opened_on=row.opened_on,
    )


def _place(row: sa.Row[Any]) -> Place | None:
    if row.latitude_deg is None:
        return None
    return Place(
        coordinates=Coordinates(latitude=row.latitude_deg, longitude=row.longitude_deg),
        precision=Precision(row.precision),
        uncertainty_km=row.uncertainty_km,
        source=row.place_source,
        country=row.place_country,
        name=row.place_name,
        postcode=row.place_postcode,
        notes=_TEXTS.decode(row.place_notes),
    )


def _travel(certainty: str, kinds: str) -> TravelSupport:
    return TravelSupport(
        certainty=TravelCertainty(certainty), kinds=tuple(TravelKind(kind) for kind in _TEXTS.decode(kinds))
    )
