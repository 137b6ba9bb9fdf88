"""Words for a status: every synonym has one meaning, and nothing is guessed from a part of them."""

from __future__ import annotations

import pytest

from sitematch.domain.studies import status_words
from sitematch.domain.studies.status_words import is_silent, read_status
from sitematch.domain.studies.study import RecruitmentStatus


def test_no_word_stands_for_two_statuses() -> None:
    meanings: dict[str, set[RecruitmentStatus]] = {}
    for status, words in status_words._WORDS.items():
        for word in words:
            meanings.setdefault(status_words._folded(word), set()).add(status)

    assert {word: found for word, found in meanings.items() if len(found) > 1} == {}
    assert not any(is_silent(word) for word in meanings)


@pytest.mark.parametrize("status", RecruitmentStatus)
def test_a_statuss_own_name_is_read_in_any_spelling(status: RecruitmentStatus) -> None:
    spaced = status.replace("_", " ")

    assert {
        read_status(text) for text in (status, spaced, spaced.lower(), spaced.title(), f" {status} (May 2026)")
    } == {status}


@pytest.mark.parametrize(
    "text", ["not recruiting patients with asthma", "recruiting?maybe", "En cours", "ongoing", "x"]
)
def test_other_words_are_not_guessed_at(text: str) -> None:
    assert read_status(text) is None


@pytest.mark.parametrize("text", ["", "  ", "-", "N/A", "n.a.", "none", "TBD"])
def test_signs_for_nothing_are_silence(text: str) -> None:
    assert is_silent(text)
    assert read_status(text) is None
