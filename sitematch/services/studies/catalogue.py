"""Reading the catalogue. It is public, so no permission is needed; only a coordinator's own list is filtered."""

from __future__ import annotations

from sitematch.domain.accounts.access import Actor, granted_studies
from sitematch.store.engine import Store
from sitematch.store.studies import catalogue
from sitematch.store.studies.catalogue import catalogue_version, list_studies, read_sites, read_study
from sitematch.store.studies.search import search_studies

__all__ = ["catalogue_version", "find_own_studies", "list_studies", "read_sites", "read_study", "search_studies"]


def find_own_studies(store: Store, actor: Actor, text: str, *, limit: int) -> tuple[tuple[str, str], ...]:
    """Return ids and titles of the studies in which the actor has a role and that contain every word of a text, by id.

    See `sitematch.store.studies.catalogue.find_studies`.
    """
    return catalogue.find_studies(store, text, among=granted_studies(actor), limit=limit)
