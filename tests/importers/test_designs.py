"""What is said about a placebo is what the record's design says, whatever the kind of trial."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from sitematch.domain.studies.record import StudyRecord
from sitematch.importers.ctgov import parse_study
from tests.importers.records import make_record


@dataclass(frozen=True)
class Design:
    """A trial's arms as (type, label), its interventions and its masking; and whether there is a placebo."""

    name: str
    has_placebo: bool | None
    arms: tuple[tuple[str, str], ...] = ()
    interventions: tuple[str, ...] = ()
    masking: str | None = None
    study_type: str = "INTERVENTIONAL"
    more: dict[str, Any] = field(default_factory=dict)


DESIGNS = [
    Design("single arm, open", False, (("EXPERIMENTAL", "Felzartamab"),), ("Felzartamab",), "NONE"),
    Design("dose escalation, open", False, (("EXPERIMENTAL", "10 mg"), ("EXPERIMENTAL", "30 mg")), ("A",), "NONE"),
    Design("randomised against standard care, open", False, (("EXPERIMENTAL", "A"), ("ACTIVE_COMPARATOR", "Care")), ("A",), "NONE"),
    Design("against no treatment, open", False, (("EXPERIMENTAL", "A"), ("NO_INTERVENTION", "Control")), ("A",), "NONE"),
    Design("randomised against placebo", True, (("EXPERIMENTAL", "A"), ("PLACEBO_COMPARATOR", "Control")), ("A",), "DOUBLE"),
    Design("placebo only in the label", True, (("EXPERIMENTAL", "A"), ("OTHER", "Placebo to match A")), ("A",), "DOUBLE"),
    Design("placebo only among the interventions", True, (("EXPERIMENTAL", "A then B"),), ("A", "Placebo"), "DOUBLE"),
    Design("open label with a placebo arm", True, (("EXPERIMENTAL", "A"), ("PLACEBO_COMPARATOR", "P")), ("A",), "NONE"),
    Design("open label with a sham arm", True, (("EXPERIMENTAL", "Device"), ("SHAM_COMPARATOR", "Off")), ("Device",), "NONE"),
    Design("sham in the label", True, (("EXPERIMENTAL", "Stimulation"), ("OTHER", "Sham stimulation")), ("D",), "DOUBLE"),
    Design("vehicle cream", True, (("EXPERIMENTAL", "Cream"), ("OTHER", "Vehicle")), ("Cream",), "DOUBLE"),
    Design("double dummy against an active drug", True, (("EXPERIMENTAL", "A"), ("ACTIVE_COMPARATOR", "B")), ("A", "Double dummy"), "DOUBLE"),
    Design("crossover of two drugs, masked", None, (("EXPERIMENTAL", "AB"), ("EXPERIMENTAL", "BA")), ("A", "B"), "DOUBLE"),
    Design("active comparator, masked", None, (("EXPERIMENTAL", "A"), ("ACTIVE_COMPARATOR", "B")), ("A", "B"), "DOUBLE"),
    Design("masking not stated", None, (("EXPERIMENTAL", "A"),), ("A",), None),
    Design("no arms in the record", None, (), ("A",), "NONE"),
    Design("behavioural, open", False, (("EXPERIMENTAL", "Coaching"), ("ACTIVE_COMPARATOR", "Leaflet")), ("Coaching",), "NONE"),
    Design("device, open", False, (("EXPERIMENTAL", "Pump"),), ("Insulin pump",), "NONE"),
    Design("observational", None, (("", "Cohort 1"),), (), None, "OBSERVATIONAL"),
    Design("expanded access", None, (), ("A",), None, "EXPANDED_ACCESS"),
]  # fmt: skip


def record(design: Design) -> StudyRecord:
    modules: dict[str, Any] = {
        "designModule": {
            "studyType": design.study_type,
            "designInfo": {} if design.masking is None else {"maskingInfo": {"masking": design.masking}},
        },
        "armsInterventionsModule": {
            "armGroups": [{"type": kind, "label": label} for kind, label in design.arms],
            "interventions": [{"name": name} for name in design.interventions],
        },
    }
    found = parse_study(make_record(**modules), date(2026, 1, 2), where="test")
    assert isinstance(found, StudyRecord)
    return found


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_placebo_is_claimed_or_denied_only_where_the_record_does(design: Design) -> None:
    assert record(design).study.has_placebo is design.has_placebo
