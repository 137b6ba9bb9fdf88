"""The answers to reviewers name tests, settings and commands that exist."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

PAGES = ("docs/security.md", "docs/privacy.md", "SECURITY.md")


def named_tests() -> list[str]:
    text = (ROOT / "docs" / "security.md").read_text("utf-8")
    return sorted(set(re.findall(r"`((?:[a-z_]+/)*test_[a-z_]+\.py(?:::test_[a-z_0-9]+)?)`", text)))


def test_page_names_many_tests() -> None:
    assert len(named_tests()) >= 25


@pytest.mark.parametrize("name", named_tests())
def test_every_test_that_is_named_as_proof_exists(name: str) -> None:
    file, _, function = name.partition("::")

    assert (
        f"def {function}(" in (ROOT / "tests" / file).read_text("utf-8")
        if function
        else (ROOT / "tests" / file).is_file()
    )


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    file = ROOT / page

    for target in re.findall(r"\]\(([^)#]+)\)", file.read_text("utf-8")):
        assert target.startswith("http") or (file.parent / target).exists(), target
