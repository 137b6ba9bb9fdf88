"""Rules for new passwords, after NIST SP 800-63B."""

from __future__ import annotations

import pytest

from sitematch.domain.accounts.passwords import MAX_PASSWORD, check_new_password
from sitematch.errors import InvalidInput

EMAIL = "ann.smith@example.org"


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "xq7-horse-lamp",
        "пять зелёных лягушек",
        "a" * 3 + "-lantern-quartz-ferry",
        "🦉 owl 🦆 duck 🐟 trout",
    ],
)
def test_long_password_that_is_not_common_is_accepted_whatever_its_characters(password: str) -> None:
    check_new_password(password, EMAIL)


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "P@ssw0rd1234",
        "123456789012",
        "qwertyuiop12",
        "aaaaaaaaaaaa",
        "hospitalhospital",
        "trustno1trustno1",
        "Liverpool2024!",
        "sitematch2026",
        "ann.smith@example.org",
        "AnnSmith-1234",
        "smith.ann.2026",
        "example.org-1",
    ],
)
def test_common_repeated_or_own_names_are_refused_by_field(password: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_new_password(password, EMAIL)

    assert refused.value.field == "password"
    assert password not in refused.value.message


@pytest.mark.parametrize("length", [0, 11, MAX_PASSWORD + 1])
def test_too_short_or_too_long_is_refused_with_both_limits(length: int) -> None:
    with pytest.raises(InvalidInput, match="12 to 256"):
        check_new_password("x" * length, EMAIL)


def test_longest_password_is_judged_by_its_start_alone() -> None:
    check_new_password(("lantern quartz ferry " * 20)[:MAX_PASSWORD][::-1], EMAIL)
