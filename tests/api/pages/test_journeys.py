"""The way by car on the patient's page: in words, in every language, with what was sent where."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from api.pages.languages import LANGUAGES

MIAMI = {"place": "33180", "country": "US"}


def test_each_card_says_how_long_the_way_is_and_that_nothing_was_sent(client: FlaskClient) -> None:
    page = client.post("/", data=MIAMI).text

    assert page.count('class="journey"') == 5
    assert "by car (" in page
    assert "or a flight" in page
    assert "Across the sea: by ferry or flight" in page
    assert "nothing is sent elsewhere" in page


def test_the_form_orders_and_bounds_by_time(client: FlaskClient) -> None:
    page = client.post("/", data=MIAMI | {"order": "time", "minutes": "90"}).text

    assert "The quickest clinic to reach by car that can take a patient now." in page
    assert page.count('class="journey"') == 1
    assert '<option value="90" selected>' in page


@pytest.mark.parametrize("tag", [tag for tag in LANGUAGES if tag != "en"])
def test_the_way_is_told_in_every_language(client: FlaskClient, tag: str) -> None:
    page = client.post("/", data=MIAMI | {"lang": tag}).text

    assert page.count('class="journey"') == 5
    assert "by car" not in page
    assert "Across the sea" not in page
