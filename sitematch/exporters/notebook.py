"""Results as HTML for a notebook: a table beside a small map, without scripts, fonts or addresses of other servers.

The map is an azimuthal equidistant projection around the person: distances from the middle and directions are true, so
rings are distances, and north is up. It needs no map data.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape

from sitematch.domain.units import KM_PER_MILE, Unit
from sitematch.exporters.tables.terminal import TRAVEL_WORDS
from sitematch.exporters.wire.matches import MatchAnswer, MatchesAnswer, PlaceAnswer, RemainingAnswer

_SIZE = 280
_MIDDLE = _SIZE / 2
_RADIUS = 112
"""Pixels from the middle to the outermost ring."""

_STEPS = (1.0, 2.0, 5.0)


def matches_html(answer: MatchesAnswer) -> str:
    """Return the answer to one look-up as a piece of HTML.

    Parameters
    ----------
    answer
        See `sitematch.exporters.wire.matches.matches_answer`.
    """
    parts = [f"<p><strong>From {escape(answer.query.place.text)}.</strong></p>", _notes(answer.query.place)]
    if answer.matches:
        parts.append('<div style="display:flex;flex-wrap:wrap;gap:1.5em;align-items:flex-start">')
        parts += [_map(answer), _table(answer.matches), "</div>"]
    else:
        parts.append("<p><strong>No site can take a patient now.</strong></p>")
    if answer.excluded:
        left_out = "".join(
            f"<li>{escape(each.site.facility)}, {escape(each.site.city)}, {escape(each.site.country)}: "
            f"{escape(' '.join(reason.text for reason in each.reasons))}</li>"
            for each in answer.excluded
        )
        more = f" and {answer.excluded_more} more" if answer.excluded_more else ""
        parts.append(
            f"<details><summary>Left out ({len(answer.excluded)}{more})</summary><ul>{left_out}</ul></details>"
        )
    study = answer.study
    parts.append(f"<p>{escape(f'{study.study_id}: {study.title}. As of {study.as_of}, {study.source}.')}</p>")
    if study.notice:
        parts.append(f"<p><strong>{escape(study.notice)}</strong></p>")
    parts.append(_sources(answer.attribution))
    return f"<div>{''.join(parts)}</div>"


def place_html(place: PlaceAnswer, attribution: Iterable[str]) -> str:
    """Return one place as a piece of HTML."""
    where = place.location
    point = f"Point: {where.latitude:.5f}, {where.longitude:.5f}. Source: {place.source}."
    return (
        f"<div><p><strong>{escape(place.text)}.</strong></p>{_notes(place)}<p>{escape(point)}</p>"
        f"{_sources(attribution)}</div>"
    )


def _notes(place: PlaceAnswer) -> str:
    return "".join(f"<p>Note: {escape(note)}</p>" for note in place.notes)


def _sources(attribution: Iterable[str]) -> str:
    return f"<p><small>Sources: {escape(' '.join(attribution))}</small></p>"


def _table(matches: Iterable[MatchAnswer]) -> str:
    rows = "".join(
        "<tr>"
        f"<td>{match.rank}</td>"
        f'<td style="text-align:left"><strong>{escape(match.site.facility)}</strong><br>'
        f"{escape(', '.join(part for part in (match.site.city, match.site.state, match.site.country) if part))}</td>"
        f"<td>{'unknown' if match.distance is None else escape(match.distance.text)}</td>"
        f"<td>{escape(TRAVEL_WORDS[match.site.travel.certainty])}</td>"
        f"<td>{_spots(match.remaining)}</td>"
        f'<td style="text-align:left">{escape(match.reasons[0].text if match.reasons else "")}</td>'
        "</tr>"
        for match in matches
    )
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("", "Site", "Distance", "Travel", "Spots left", "Why"))
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _spots(remaining: RemainingAnswer) -> str:
    return "unknown" if remaining.count is None else str(remaining.count)


def _map(answer: MatchesAnswer) -> str:
    """Draw the placed sites around the person, by distance and direction, with two rings and their distance."""
    placed = [(match, match.distance) for match in answer.matches if match.distance is not None]
    if not placed:
        return ""
    unit = answer.query.unit
    unit_km = KM_PER_MILE if unit is Unit.MILES else 1.0
    uncertainty_km = answer.query.place.location.uncertainty_km
    outer = _ring(max(uncertainty_km, *(distance.km for _, distance in placed), 1.0) / unit_km)
    per_km = _RADIUS / (outer * unit_km)
    name = "mi" if unit is Unit.MILES else "km"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{_SIZE}" height="{_SIZE}">',
        f"<title>The sites around the place, north at the top; the outer ring is {outer:,g} {name} away.</title>",
    ]
    for share in (1.0, 0.5):
        y = _MIDDLE - _RADIUS * share - 3
        parts.append(
            f'<circle cx="{_MIDDLE:g}" cy="{_MIDDLE:g}" r="{_RADIUS * share:g}" fill="none" stroke="currentColor" '
            f'stroke-opacity="0.3"/><text x="{_MIDDLE:g}" y="{y:g}" text-anchor="middle" font-size="11" '
            f'fill="currentColor" fill-opacity="0.7">{outer * share:,g} {name}</text>'
        )
    parts.append(
        f'<circle cx="{_MIDDLE:g}" cy="{_MIDDLE:g}" r="{max(3.0, uncertainty_km * per_km):.1f}" fill="#1f6feb" '
        'fill-opacity="0.35" stroke="#1f6feb"/>'
    )
    # The best site is drawn last, so that it is on top.
    for match, distance in reversed(placed):
        angle = math.radians(distance.azimuth_deg)
        x, y = _MIDDLE + distance.km * per_km * math.sin(angle), _MIDDLE - distance.km * per_km * math.cos(angle)
        parts.append(
            f'<g><title>{escape(match.site.facility)}</title><circle cx="{x:.1f}" cy="{y:.1f}" r="8" fill="#b42318"/>'
            f'<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle" font-size="11" fill="#ffffff">{match.rank}</text>'
            "</g>"
        )
    return "".join(parts) + "</svg>"


def _ring(longest: float) -> float:
    """Return the smallest round number (1, 2 or 5 times a power of ten) that is not below a distance.

    Examples
    --------
    >>> _ring(0.7), _ring(38.0), _ring(610.0)
    (1.0, 50.0, 1000.0)
    """
    power = 10.0 ** math.floor(math.log10(longest))
    return next((step * power for step in _STEPS if step * power >= longest), 10.0 * power)
