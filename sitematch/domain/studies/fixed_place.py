"""A site's place that a person set, because its record could not be placed."""

from __future__ import annotations

from dataclasses import replace

from sitematch.domain.place import Place
from sitematch.domain.studies.site import Site

FIXED = "The place was set by hand, because the record's could not be found: "
"""Beginning of the flag of such a site; the place's name follows."""


def with_fixed_place(site: Site, place: Place) -> Site:
    """Return a site at a place that a person chose.

    Parameters
    ----------
    site
        The site; its town and postcode stay as in the record.
    place
        Where it is.
    """
    named = ", ".join(part for part in (place.name, place.postcode or "", place.country) if part)
    flags = tuple(flag for flag in site.flags if not flag.startswith(FIXED))
    return replace(site, place=replace(place, notes=()), flags=(*flags, f"{FIXED}{named}."))


def keep_fixed_place(before: Site, after: Site) -> Site:
    """Return a new record's site with the place that a person had set, if the record still cannot be placed.

    Parameters
    ----------
    before
        The site in the catalogue.
    after
        The same site from a new record. A record that can be placed, or whose town or postcode changed, is believed.
    """
    told = [flag for flag in before.flags if flag.startswith(FIXED)]
    is_same = (before.city, before.postcode, before.country) == (after.city, after.postcode, after.country)
    if not told or after.place is not None or not is_same:
        return after
    return replace(after, place=before.place, flags=(*after.flags, *told))
