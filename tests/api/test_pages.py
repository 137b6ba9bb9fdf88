from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from sitematch.services.finder import Finder
from tests.api.builders import make_app, make_site

MIAMI = {"place": "33180", "country": "US"}


class Page(HTMLParser):
    """Collects what the tests look at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_form_sends_by_post_and_every_field_has_a_label(client: FlaskClient) -> None:
    page = Page(client.get("/").text)

    assert [form["method"] for form in page.all("form")] == ["post"]
    labels = {label["for"] for label in page.all("label")}
    fields = {field["id"] for field in page.all("input") + page.all("select")}
    assert labels == fields == {"country", "place"}
    assert len(page.all("option")) > 200


def test_postcode_gives_the_ranked_list_with_reasons_and_the_left_out_folded_below(client: FlaskClient) -> None:
    response = client.post("/", data=MIAMI)

    text = response.text
    assert response.status_code == 200
    assert text.index("Hospital miami<") < text.index("Hospital portland<") < text.index("<details>")
    assert text.index("<details>") < text.index("Hospital miami-full")
    assert "Travel costs are covered." in text
    assert "The sites are stand-ins." in text
    assert "Codes: made for tests." in text


def test_wrong_postcode_keeps_what_was_typed_and_offers_what_was_perhaps_meant(client: FlaskClient) -> None:
    response = client.post("/", data={"place": "4102", "country": "US"})

    page = Page(response.text)
    assert response.status_code == 400
    typed = next(field for field in page.all("input") if field.get("id") == "place")
    assert typed["value"] == "4102"
    assert typed["aria-invalid"] == "true"
    assert {"name": "country", "type": "hidden", "value": "US"} in page.all("input")
    assert {"name": "place", "type": "hidden", "value": "04102"} in page.all("input")


def test_ambiguous_town_is_asked_back(client: FlaskClient) -> None:
    response = client.post("/", data={"place": "Springfield", "country": ""})

    assert response.status_code == 422
    assert "Springfield, Illinois" in response.text
    assert "Springfield, Missouri" in response.text


@pytest.mark.parametrize(
    ("form", "status"),
    [({}, 400), ({"place": ""}, 400), ({**MIAMI, "more": "1"}, 400), ({"place": "x" * 20_000, "country": "US"}, 400)],
)
def test_bad_form_is_explained_on_the_page(client: FlaskClient, form: dict[str, str], status: int) -> None:
    response = client.post("/", data=form)

    assert response.status_code == status
    assert 'role="alert"' in response.text
    assert len(response.text) < 40_000


def test_what_is_typed_and_what_a_record_says_cannot_become_markup(tmp_path: Path, finder: Finder) -> None:
    hostile = "<script>alert(1)</script>"
    sites = (make_site("evil", (25.8, -80.2), facility=hostile),)
    client = make_app(tmp_path, Finder(finder.gazetteer, finder.study, sites)).test_client()

    results = client.post("/", data=MIAMI).text
    fault = client.post("/", data={"place": f'9"{hostile}', "country": "US"}).text

    assert "<script" not in results
    assert "&lt;script&gt;" in results
    assert "<script" not in fault


@pytest.mark.parametrize("path", ["/", "/docs", "/problems", "/problems/not-found", "/nothing"])
def test_page_needs_no_script_no_inline_style_and_nothing_from_elsewhere(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers={"Accept": "text/html"})

    page = Page(response.text)
    assert not page.all("script")
    assert not page.all("style")
    for _, attributes in page.elements:
        assert not any(name == "style" or name.startswith("on") for name in attributes)
        for name in ("src", "href", "action"):
            assert not re.match(r"(?i)\w+:|//", attributes.get(name, "")), attributes
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_style_sheet_and_icon_are_served_and_load_nothing(client: FlaskClient) -> None:
    page = Page(client.get("/").text)

    for link in page.all("link"):
        with client.get(link["href"]) as asset:
            assert asset.status_code == 200
            assert asset.headers["X-Content-Type-Options"] == "nosniff"
            assert "url(" not in asset.text
            assert "@import" not in asset.text


@pytest.mark.parametrize("path", ["/", "/docs", "/problems", "/problems/not-found", "/nothing"])
def test_page_has_a_language_a_title_one_heading_and_unique_ids(client: FlaskClient, path: str) -> None:
    text = client.get(path, headers={"Accept": "text/html"}).text
    page = Page(text)

    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == 1
    assert len(ids) == len(set(ids))
    assert re.search(r"<title>[^<]{10,}</title>", text)
    for _, attributes in page.elements:
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in ids
        for name in ("aria-labelledby", "aria-describedby"):
            assert attributes.get(name, ids[0]) in ids


def test_result_is_kept_by_nobody_and_the_form_may_be(client: FlaskClient) -> None:
    assert client.post("/", data=MIAMI).headers["Cache-Control"] == "no-store"
    assert client.get("/").headers["Cache-Control"] == "no-cache"
