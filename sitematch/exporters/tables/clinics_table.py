"""Results over many studies as tables for a terminal."""

from __future__ import annotations

from rich.console import Console, Group
from rich.text import Text

from sitematch.exporters.tables.terminal import (
    TRAVEL_WORDS,
    contact_lines,
    new_table,
    place_lines,
    print_attribution,
    spots_cell,
)
from sitematch.exporters.wire.clinics import ClinicAnswer, ClinicsAnswer, StudyAtClinicAnswer


def print_clinics(answer: ClinicsAnswer, console: Console) -> None:
    """Print ranked clinics, each with the studies that recruit there, and then the notices of the studies."""
    console.print(place_lines(answer.query.place))
    console.print(Text(f"Studies about {answer.query.condition!r} that take patients: {answer.studies_found:,}."))
    console.print()
    if answer.clinics:
        table = new_table("", "Clinic and studies", "Distance", "Travel", "Spots left")
        for clinic in answer.clinics:
            table.add_row(
                str(clinic.rank),
                _clinic_cell(clinic),
                "unknown" if clinic.distance is None else clinic.distance.text.replace(", ", "\n"),
            )
            for at in clinic.studies:
                travel = TRAVEL_WORDS[at.travel.certainty]
                table.add_row("", _study_cell(at), "", travel, spots_cell(at.remaining).replace("\n", " "))
            table.add_row()
        console.print(table)
    else:
        console.print(Text("No clinic can take a patient now.", style="bold"))
    if answer.outside_radius:
        console.print(
            Text("No clinic within the radius can take a patient, so the nearest one is shown.", style="bold")
        )
    studies = {at.study.study_id: at.study for clinic in answer.clinics for at in clinic.studies}
    for study in studies.values():
        console.print(Text(f"{study.study_id}: {study.title}. As of {study.as_of}, {study.source}."))
        if study.notice:
            console.print(Text(study.notice, style="bold yellow"))
    print_attribution(answer.attribution, console)


def _clinic_cell(clinic: ClinicAnswer) -> Group:
    town = ", ".join(part for part in (clinic.city, clinic.state, clinic.country) if part)
    return Group(Text(clinic.facility, style="bold"), Text(town), Text(clinic.reasons[0].text, style="dim"))


def _study_cell(at: StudyAtClinicAnswer) -> Group:
    stand_in = " (stand-in)" if at.stand_in else ""
    contacts = (Text(f"  {line}", style="dim") for line in contact_lines(at.contacts))
    return Group(Text(f"  {at.study.study_id}{stand_in}  {at.study.title}"), *contacts)
