"""Shell completion of countries, studies and sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from sitematch.cli.common import settings
from sitematch.errors import SitematchError

if TYPE_CHECKING:
    from sitematch.services.setup import Store

_MOST = 200


def complete_country(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem]:
    """Return the codes of countries whose code or name begins with the text."""
    from sitematch.gazetteer.grammar import COUNTRIES

    wanted = typed.casefold()
    return [
        CompletionItem(code, help=country.name)
        for code, country in COUNTRIES.items()
        if code.casefold().startswith(wanted) or country.name.casefold().startswith(wanted)
    ]


def complete_study(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem]:
    """Return the studies of the catalogue whose id begins with the text."""
    from sitematch.services.studies import catalogue

    store = _open()
    if store is None:
        return []
    with store:
        studies = [study for study in catalogue.list_studies(store) if study.study_id.startswith(typed.upper())]
    return [CompletionItem(study.study_id, help=study.title) for study in studies[:_MOST]]


def complete_site(ctx: click.Context, _: click.Parameter, typed: str) -> list[CompletionItem]:
    """Return the sites of the given or default study whose id begins with the text."""
    from sitematch.services.studies import catalogue

    store = _open()
    if store is None:
        return []
    with store:
        study_id = (ctx.params.get("study") or settings().study_id).upper()
        sites = [site for site in catalogue.read_sites(store, study_id) if site.site_id.startswith(typed.upper())]
    return [CompletionItem(site.site_id, help=f"{site.facility}, {site.city}") for site in sites[:_MOST]]


def _open() -> Store | None:
    """Open the database if it exists: the tab key must not create one or print an error."""
    from sitematch.services.setup import open_store

    try:
        chosen = settings()
        file = chosen.home / "sitematch.db"
        if chosen.database_url == f"sqlite:///{file}" and not file.exists():
            return None
        return open_store(chosen.database_url)
    except SitematchError:
        return None
