"""Reading the catalogue. It is public, so nobody needs a permission; only a coordinator's own list is narrowed."""

from __future__ import annotations

from sitematch.domain.accounts.access import Actor, granted_studies
from sitematch.store.engine import Store
from sitematch.store.studies import catalogue
from sitematch.store.studies.catalogue import catalogue_version, list_studies, read_sites, read_study
from sitematch.store.studies.search import search_studies

__all__ = ["catalogue_version", "find_own_studies", "list_studies", "read_sites", "read_study", "search_studies"]


def find_own_studies(store: Store, actor: Actor, text: str, *, limit: int) -> tuple[tuple[str, str], ...]:
    """Return ids and titles of the studies that the actor has a role in and that hold every word of a text, by id.

    See `sitematch.store.studies.catalogue.find_studies`.
    """
    return catalogue.find_studies(store, text, among=granted_studies(actor), limit=limit)
