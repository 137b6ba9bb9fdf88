"""Secrets of tokens: random, with a form that scanners can find."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitematch.domain.accounts.token_secret import SECRET_PATTERN, could_be_secret, new_secret


def test_secrets_differ_and_have_the_form_that_is_documented() -> None:
    made = {new_secret() for _ in range(50)}

    assert len(made) == 50
    assert all(SECRET_PATTERN.fullmatch(secret) and could_be_secret(secret) for secret in made)


@given(st.integers(0, 53), st.sampled_from("abcXYZ019-_"))
def test_secret_with_one_other_character_is_none(place: int, mark: str) -> None:
    secret = new_secret()
    changed = secret[:place] + mark + secret[place + 1 :]

    assert could_be_secret(changed) is (changed == secret)


def test_secret_of_before_the_checksum_is_still_looked_up() -> None:
    assert could_be_secret("sm_" + "A" * 43)


@pytest.mark.parametrize("text", ["", "sm_", "x" * 46, "sm_" + "A" * 42, "sm_" + "A" * 200, "sm_" + "é" * 51])
def test_anything_else_is_none(text: str) -> None:
    assert not could_be_secret(text)
