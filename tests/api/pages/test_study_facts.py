"""Texts about a trial, compared with records of twenty designs: only what each record says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from flask import Flask

from api.pages.languages import LANGUAGES, speak
from api.pages.study_facts import StudyFacts, study_facts
from sitematch.domain.studies.record import StudyRecord
from sitematch.domain.studies.study import Study
from sitematch.importers.ctgov import parse_study
from tests.builders import make_study
from tests.importers.records import make_record

UNKNOWN = "Whether there is a placebo group is not known here: ask the clinic."
NONE, THERE = "There is no placebo group.", "There is a placebo group."
USED = "A placebo or a sham is used in this study."
SHAM = "There is a group that receives a sham: it looks like the treatment, but is not."
OBSERVES = "This study observes people. It does not decide what treatment they receive."
ACCESS = "This is not a trial. It gives access to a treatment outside of a trial."
CHANCE, NO_CHANCE = "Chance decides who is in which group.", "It is not chance that decides who is in which group."
OPEN, BLIND = "Who is in which group is not kept secret.", "Participants are not told which group they are in."
SOME_BLIND = "Some of the people involved are not told who is in which group."
CROSS = "Participants receive more than one of the treatments, one after another."
ONE, TWO, THREE = "The record names 1 group.", "The record names 2 groups.", "The record names 3 groups."

E, A, P, S, N, OTHER = (
    "EXPERIMENTAL", "ACTIVE_COMPARATOR", "PLACEBO_COMPARATOR", "SHAM_COMPARATOR", "NO_INTERVENTION", "OTHER",
)  # fmt: skip

# Name; study type, allocation, model, masking, who is masked; arms by kind and what they receive; what is said: what it
# is, of a placebo, of the groups.
DESIGNS: list[tuple[str, tuple[str, str, str, str, list[str]], list[tuple[str, str]], str, str, list[str]]] = [
    ("randomised, placebo, double blind", ("INTERVENTIONAL", "RANDOMIZED", "PARALLEL", "DOUBLE", ["PARTICIPANT"]),
     [(E, "Drug: X"), (P, "Drug: Placebo")], "", THERE, [TWO, CHANCE, BLIND]),
    ("randomised against another drug, open", ("INTERVENTIONAL", "RANDOMIZED", "PARALLEL", "NONE", []),
     [(E, "Drug: X"), (A, "Drug: Y")], "", NONE, [TWO, CHANCE, OPEN]),
    ("randomised against another drug, blind", ("INTERVENTIONAL", "RANDOMIZED", "PARALLEL", "TRIPLE", ["PARTICIPANT"]),
     [(E, "Drug: X"), (A, "Drug: Y")], "", UNKNOWN, [TWO, CHANCE, BLIND]),
    ("double dummy", ("INTERVENTIONAL", "RANDOMIZED", "PARALLEL", "QUADRUPLE", ["PARTICIPANT"]),
     [(E, "Drug: X"), (A, "Drug: Placebo for X")], "", USED, [TWO, CHANCE, BLIND]),
    ("crossover with placebo", ("INTERVENTIONAL", "RANDOMIZED", "CROSSOVER", "DOUBLE", ["PARTICIPANT"]),
     [(E, "Drug: X"), (P, "Drug: Placebo")], "", USED, [TWO, CHANCE, CROSS, BLIND]),
    ("crossover, open", ("INTERVENTIONAL", "RANDOMIZED", "CROSSOVER", "NONE", []),
     [(E, "Drug: X"), (E, "Drug: Y")], "", NONE, [TWO, CHANCE, CROSS, OPEN]),
    ("single arm", ("INTERVENTIONAL", "NA", "SINGLE_GROUP", "NONE", []), [(E, "Drug: X")], "", NONE, [ONE]),
    ("single arm whose masking is not said", ("INTERVENTIONAL", "NA", "SINGLE_GROUP", "", []),
     [(E, "Drug: X")], "", UNKNOWN, [ONE]),
    ("dose escalation", ("INTERVENTIONAL", "NON_RANDOMIZED", "SEQUENTIAL", "NONE", []),
     [(E, "Drug: X"), (E, "Drug: X"), (E, "Drug: X")], "", NONE, [THREE, NO_CHANCE, OPEN]),
    ("device against a sham", ("INTERVENTIONAL", "RANDOMIZED", "PARALLEL", "SINGLE", ["PARTICIPANT"]),
     [(E, "Device: X"), (S, "Device: Sham X")], "", SHAM, [TWO, CHANCE, BLIND]),
    ("device, one arm", ("INTERVENTIONAL", "NA", "SINGLE_GROUP", "NONE", []), [(E, "Device: X")], "", NONE, [ONE]),
    ("behavioural, only assessors masked",
     ("INTERVENTIONAL", "RANDOMIZED", "PARALLEL", "SINGLE", ["OUTCOMES_ASSESSOR"]),
     [(E, "Behavioral: talks"), (N, "")], "", UNKNOWN, [TWO, CHANCE, SOME_BLIND]),
    ("behavioural, waiting list, open", ("INTERVENTIONAL", "RANDOMIZED", "PARALLEL", "NONE", []),
     [(E, "Behavioral: talks"), (N, "")], "", NONE, [TWO, CHANCE, OPEN]),
    ("delayed start, open", ("INTERVENTIONAL", "RANDOMIZED", "PARALLEL", "NONE", []),
     [(E, "Drug: X"), (OTHER, "Drug: X")], "", NONE, [TWO, CHANCE, OPEN]),
    ("delayed start after a placebo", ("INTERVENTIONAL", "RANDOMIZED", "PARALLEL", "DOUBLE", ["PARTICIPANT"]),
     [(E, "Drug: X"), (E, "Drug: X, then Placebo")], "", USED, [TWO, CHANCE, BLIND]),
    ("factorial with placebo", ("INTERVENTIONAL", "RANDOMIZED", "FACTORIAL", "DOUBLE", ["PARTICIPANT"]),
     [(E, "Drug: X"), (E, "Drug: Y"), (P, "Drug: Placebo")], "", THERE, [THREE, CHANCE, BLIND]),
    ("vaccine, sham procedure and no kind told", ("INTERVENTIONAL", "RANDOMIZED", "PARALLEL", "NONE", []),
     [("", "Biological: V"), ("", "Biological: W")], "", UNKNOWN, [TWO, CHANCE, OPEN]),
    ("no arms told", ("INTERVENTIONAL", "", "", "NONE", []), [], "", UNKNOWN, []),
    ("observational cohorts", ("OBSERVATIONAL", "", "", "", []), [("", ""), ("", "")], OBSERVES, "", [TWO]),
    ("expanded access", ("EXPANDED_ACCESS", "", "", "", []), [], ACCESS, "", []),
    ("open-label extension that mentions the placebo of before", ("INTERVENTIONAL", "NA", "SINGLE_GROUP", "NONE", []),
     [(E, "Drug: X, no placebo")], "", NONE, [ONE]),
    ("placebo arm in an open record", ("INTERVENTIONAL", "RANDOMIZED", "PARALLEL", "NONE", []),
     [(E, "Drug: X"), (P, "Drug: Placebo")], "", THERE, [TWO, CHANCE, OPEN]),
]  # fmt: skip


def read(design: tuple[str, str, str, str, list[str]], arms: list[tuple[str, str]], **eligibility: Any) -> Study:
    study_type, allocation, model, masking, masked = design
    record = parse_study(
        make_record(
            designModule={
                "studyType": study_type,
                "designInfo": {
                    "allocation": allocation,
                    "interventionModel": model,
                    "maskingInfo": {"masking": masking, "whoMasked": masked},
                },
            },
            armsInterventionsModule={
                "armGroups": [
                    {"label": f"Arm {i}", "type": kind, "interventionNames": [name] if name else []}
                    for i, (kind, name) in enumerate(arms, 1)
                ],
                "interventions": [{"name": name.partition(": ")[2]} for _, name in arms if name],
            },
            eligibilityModule=eligibility,
        ),
        date(2026, 3, 1),
        where="test",
    )
    assert isinstance(record, StudyRecord)
    return record.study


def facts(app: Flask, study: Study, tag: str = "en") -> StudyFacts:
    with app.test_request_context():
        speak(tag)
        return study_facts(study)


@pytest.mark.parametrize(
    ("design", "arms", "kind", "placebo", "groups"), [row[1:] for row in DESIGNS], ids=[row[0] for row in DESIGNS]
)
def test_a_page_says_of_a_design_what_its_record_says(
    app: Flask,
    design: tuple[str, str, str, str, list[str]],
    arms: list[tuple[str, str]],
    kind: str,
    placebo: str,
    groups: list[str],
) -> None:
    said = facts(app, read(design, arms))

    assert (said.kind, said.placebo, list(said.groups_text)) == (kind, placebo, groups)
    assert [group.name for group in said.groups] == [f"Arm {i}" for i in range(1, len(arms) + 1)]
    for group, (_, name) in zip(said.groups, arms, strict=True):
        assert group.about.endswith(name.partition(": ")[2])


def test_nothing_on_the_page_says_that_everybody_receives_the_medicine(app: Flask) -> None:
    for row in DESIGNS:
        said = facts(app, read(row[1], row[2]))
        text = " ".join((said.kind, said.placebo, *said.groups_text, *(group.about for group in said.groups)))
        assert "verybody" not in text.replace("Everybody who", "")


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_language_tells_the_designs_apart_as_english_does(app: Flask, tag: str) -> None:
    studies = [read(row[1], row[2]) for row in DESIGNS]
    english = [facts(app, study).placebo for study in studies]
    other = [facts(app, study, tag).placebo for study in studies]

    assert len(set(zip(english, other, strict=True))) == len(set(english)) == len(set(other))


@pytest.mark.parametrize(
    ("eligibility", "said"),
    [
        ({}, ()),
        ({"sex": "ALL"}, ("Any age.", "Any sex.")),
        ({"sex": "FEMALE", "minimumAge": "18 Years"}, ("18 years or older.", "Women only.")),
        ({"sex": "ALL", "minimumAge": "8 Months"}, ("8 months or older.", "Any sex.")),
        ({"sex": "ALL", "maximumAge": "17 Months"}, ("17 months or younger.", "Any sex.")),
        ({"sex": "MALE", "minimumAge": "6 Months", "maximumAge": "17 Years"},
         ("From 6 months to 17 years old.", "Men only.")),
    ],
)  # fmt: skip
def test_ages_and_sex_are_shown_as_in_the_record_or_not_at_all(
    app: Flask, eligibility: dict[str, str], said: tuple[str, ...]
) -> None:
    assert facts(app, read(DESIGNS[0][1], [], **eligibility)).who == said


def test_a_study_of_a_table_claims_nothing(app: Flask) -> None:
    said = facts(app, make_study())

    assert said == StudyFacts(kind="", placebo=UNKNOWN, groups_text=(), groups=(), who=())
    assert facts(app, replace(make_study(), has_placebo=False)).placebo == NONE
