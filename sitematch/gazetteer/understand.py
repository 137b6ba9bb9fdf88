"""Finding the place that a text means, among all ways to read it, or an error with the possible choices."""

from __future__ import annotations

from dataclasses import replace

from sitematch.domain.message import Message, in_a_row
from sitematch.domain.place import Place, Postcode
from sitematch.errors import (
    AmbiguousPlace,
    ForcesPostcode,
    InvalidInput,
    InvalidPostcode,
    NotFound,
    OnlyRegionGiven,
    OwnLocationWanted,
    PostcodeNotFound,
    Suggestion,
    TownNotFound,
)
from sitematch.gazetteer import lookup
from sitematch.gazetteer.crosscheck import UNCHECKED, agree, agrees
from sitematch.gazetteer.elsewhere import known_elsewhere
from sitematch.gazetteer.everyday import nickname, spelled_out
from sitematch.gazetteer.grammar import COUNTRIES, fold_name, has_digit, name_keys, parse_postcode
from sitematch.gazetteer.grammar.forms import BRITISH, form_of
from sitematch.gazetteer.grammar.postcode import did_you_mean
from sitematch.gazetteer.grammar.regions import TERRITORIES, Region, find_regions
from sitematch.gazetteer.lookup import CODE_OF_MANY, CODE_OF_OTHERS, listed
from sitematch.gazetteer.namesakes import about_town, resolve_town
from sitematch.gazetteer.reader import Reader
from sitematch.gazetteer.special import asks_for_own_location, forces_of, look_alikes
from sitematch.gazetteer.towns import TOWN_IS_EMPTY, Town, find_towns, town_of, towns_near
from sitematch.gazetteer.typed import TypedPlace, read_town, read_typed, tidy
from sitematch.gazetteer.which_country import Context, admin_of, country_of, nowhere

MAX_TEXT_LENGTH = 200
"""Maximum length of a postcode with a town, in characters."""

_BORDER_KM = 15.0
"""A British district this near to a town of another nation may have codes of both nations."""

_NOTHING = Message("Nothing was given. Give a postcode or a town.")
_TOWN_USED = Message("We used the town instead.")

_LARGEST = 6
"""Number of suggested towns of a region."""

_FORGIVEN = 6
"""Number of ways to read a text for which similar names are searched."""

Fault = AmbiguousPlace | InvalidInput | NotFound


def understand(
    context: Context, text: str, town: str = "", fault: InvalidPostcode | PostcodeNotFound | None = None
) -> Place:
    """Find the place that a text means; see `Gazetteer.locate`.

    Parameters
    ----------
    context
        The context of the look-up.
    text
        What a person typed.
    town
        A town that was typed separately.
    fault
        The error of the text as a postcode of the stated country, if that was tried.
    """
    if len(text) > MAX_TEXT_LENGTH:
        raise InvalidPostcode(
            Message("The text has %(count)s characters. Use %(most)s at most.", count=len(text), most=MAX_TEXT_LENGTH),
            field="postcode",
        )
    asked = tidy(text)
    if not fold_name(asked):
        if not town.strip():
            raise fault or InvalidInput(_NOTHING, field="postcode")
        return _first(context, read_town(town, context.country))
    _refuse_special(context, asked)
    _offer_look_alikes(context, asked, fault)
    if not town.strip() and not has_digit(asked):
        _ask_if_region(context, asked)
    readings = _with_town(context, asked, town)
    if not readings and context.country is not None:
        return _town_instead(context, asked, town)
    try:
        return _first(context, readings or read_typed(f"{asked}, {town}"))
    except (NotFound, InvalidInput) as unknown:
        raise _best(context, asked, fault, unknown) from None


def _first(context: Context, readings: tuple[TypedPlace, ...]) -> Place:
    """Return the place of the first way to read a text that gives one."""
    fault: Fault | None = None
    unchecked: Place | None = None
    for way in (context, replace(context, is_forgiving=True)):
        fault = None
        for reading in readings if not way.is_forgiving else readings[:_FORGIVEN]:
            try:
                place = _place(way, reading)
                if not any(_has_pattern(note, UNCHECKED) for note in place.notes):
                    return place
                # Another way to read it may match better: "Roma RM" is Rome, with its province.
                unchecked = unchecked or place
            except (NotFound, InvalidInput) as unknown:
                if fault is None or _weight(unknown) > _weight(fault):
                    fault = unknown
        if unchecked is not None:
            return unchecked
    raise fault or InvalidInput(_NOTHING, field="postcode")


def _with_town(context: Context, asked: str, town: str) -> tuple[TypedPlace, ...]:
    """Add a separately typed town to every way to read a code; without one, read only the text."""
    if not fold_name(town):
        return read_typed(asked, context.country)
    codes = [reading for reading in read_typed(asked, context.country) if reading.postcode and not reading.town]
    return tuple(
        replace(code, town=beside.town, regions=(*code.regions, *beside.regions), beside=beside.beside)
        for beside in read_town(town, context.country)
        for code in codes
    )


def _town_instead(context: Context, asked: str, town: str) -> Place:
    """Use the town if the text before it is not a code of the country."""
    try:
        parse_postcode(asked, context.country or "")
    except InvalidPostcode as fault:
        for reading in read_town(town, context.country):
            try:
                place = _by_town(context, reading)
            except (NotFound, AmbiguousPlace, InvalidInput):
                continue
            return replace(place, notes=(in_a_row(fault.said, _TOWN_USED), *place.notes))
        raise
    raise PostcodeNotFound(Message("%(code)s is not a known postcode.", code=asked), field="postcode")


def _weight(fault: Fault) -> int:
    """Rank errors by how much of the text they explain."""
    return 1 if getattr(fault, "suggestions", ()) else 0


def _refuse_special(context: Context, asked: str) -> None:
    if asks_for_own_location(asked):
        raise OwnLocationWanted(
            'Only your device knows your location. Press "Use my location", or give a postcode or a town.',
            field="postcode",
        )
    _refuse_forces(asked, context.country)


def _refuse_forces(asked: str, country: str | None) -> None:
    forces = forces_of(asked, country)
    if forces:
        whose = "the armed forces of the United States" if forces == "US" else "the British armed forces"
        raise ForcesPostcode(
            f"{asked} is a military postcode of {whose}. It has no fixed place. Give a town near you.",
            field="postcode",
        )


def _offer_look_alikes(context: Context, asked: str, fault: InvalidPostcode | PostcodeNotFound | None) -> None:
    """Suggest a code with similar-looking letters and digits, if the whole text becomes one."""
    if context.country is None or not isinstance(fault, InvalidPostcode) or not has_digit(asked):
        return
    alike = () if fault.suggestions else look_alikes(asked, context.country)
    if alike:
        raise InvalidPostcode(in_a_row(fault.said, did_you_mean(alike)), field="postcode", suggestions=alike)


def _ask_if_region(context: Context, asked: str) -> None:
    """Raise an error that asks for a town, if the text is a region or a country and not a town in it."""
    regions = find_regions(asked, context.country)
    if not regions or nickname(asked, context.country) is not None:
        return
    keys = dict.fromkeys((*name_keys(asked), *spelled_out(fold_name(asked))))
    rows = [row for key in keys for row in context.reader.towns(key)]
    own = (context.country, *context.likely)
    regions = tuple(region for region in regions if region.country in own) or regions
    if context.country is not None:
        inside = (context.country, *TERRITORIES.get(context.country, ()))
        rows = [row for row in rows if row[1] in inside]
    if rows and all(region.by_code for region in regions):
        return
    if any(region.holds(row[1], row[3]) for region in regions for row in rows):
        return
    named = sorted(
        regions, key=lambda r: context.likely.index(r.country) if r.country in context.likely else len(context.likely)
    )
    region = named[0]
    if context.country is None and region.country not in context.likely:
        there = [row for row in rows if row[1] in context.likely]
        if there:
            return
    largest = _towns_in(context.reader, region)
    offered = [town_of(context.reader, row) for row in sorted(rows, key=lambda row: -(row[7] or 0))[:3]]
    raise OnlyRegionGiven(
        f"{asked} is {'a region of ' + COUNTRIES[region.country].in_text if region.name else 'a country'}. "
        "Give a town or a postcode in it.",
        candidates=tuple(
            Suggestion(town.label, town.country, about_town(town)) for town in dict.fromkeys((*largest, *offered))
        ),
        field="town",
    )


def _towns_in(reader: Reader, region: Region) -> list[Town]:
    if not region.is_listed:
        return []
    towns = (town_of(reader, row) for row in reader.largest_in(region.country))
    inside = [town for town in towns if not region.listed or (town.admin and region.holds(town.country, town.admin))]
    return inside[:_LARGEST] if region.listed or not region.name else []


def _place(context: Context, reading: TypedPlace) -> Place:
    return _by_code(context, reading) if reading.postcode else _by_town(context, reading)


def _by_town(context: Context, reading: TypedPlace) -> Place:
    if not fold_name(reading.town):
        if not reading.regions:
            raise InvalidInput(_NOTHING, field="postcode")
        raise _only_regions(context, reading)
    found, notes = resolve_town(
        context.reader,
        reading.town,
        context.country,
        held=reading.regions,
        likely=context.likely,
        hints=context.hints,
        is_forgiving=context.is_forgiving,
    )
    if reading.left_out:
        told = Message("We used the town %(town)s and left out %(rest)s.", town=found.name, rest=reading.left_out)
        notes = (*notes, told)
    return found.place(notes)


def _only_regions(context: Context, reading: TypedPlace) -> OnlyRegionGiven:
    region = next((r for group in reversed(reading.regions) for r in group), Region(context.country or ""))
    return OnlyRegionGiven(
        f"{region.label} is {'a region' if region.name else 'a country'}. Give a town or a postcode in it.",
        candidates=tuple(Suggestion(t.label, t.country, about_town(t)) for t in _towns_in(context.reader, region)),
        field="town",
    )


def _by_code(context: Context, reading: TypedPlace) -> Place:
    note: tuple[str, ...] = ()
    country = context.country
    if country is None:
        country, note = country_of(context, reading)
    else:
        _must_fit(country, reading)
    try:
        place = lookup.lookup(context.reader, _parsed(reading.postcode, country, reading))
    except (InvalidPostcode, PostcodeNotFound) as fault:
        if not fold_name(reading.town):
            raise
        try:
            place = _by_town(replace(context, country=country), replace(reading, postcode="", left_out=""))
        except (TownNotFound, AmbiguousPlace, InvalidInput):
            raise fault from None
        return replace(place, notes=(*note, in_a_row(fault.said, _TOWN_USED), *place.notes))
    _refuse_forces(reading.postcode, country)
    if reading.is_region_too and not agrees(place, context.reader, reading.town):
        raise PostcodeNotFound(f"{reading.postcode} is not in {reading.town}.", field="postcode")
    if fold_name(reading.town):
        place = agree(place, context.reader, reading.town, reading.regions, shown=reading.beside)
    elif reading.town.strip():
        place = replace(place, notes=(*place.notes, TOWN_IS_EMPTY))
    _must_lie_in(context.reader, place, reading)
    place = _near_its_council(context.reader, place, reading)
    if reading.called and place.postcode is not None:
        return replace(place, name=_with_admin(reading.called, place.name), notes=())
    # If the country was chosen here, the choice already lists other countries.
    kept = [said for said in place.notes if context.country or not _has_pattern(said, CODE_OF_MANY, CODE_OF_OTHERS)]
    return replace(place, notes=(*note, *kept))


def _has_pattern(note: str, *patterns: str) -> bool:
    return isinstance(note, Message) and note.pattern in patterns


def _with_admin(name: str, place_name: str) -> str:
    admin = place_name.rpartition(", ")[2] if ", " in place_name else ""
    return f"{name}, {admin}" if admin else name


def _parsed(code: str, country: str, reading: TypedPlace) -> Postcode:
    """Parse the code for its country, or for the territory that was stated with it."""
    own = {region.country for group in reading.regions for region in group if not region.name}
    postcode = parse_postcode(code, country)
    for territory in TERRITORIES.get(country, ()):
        if territory in own and postcode.country == country and form_of(territory) is not None:
            try:
                return parse_postcode(code, territory)
            except InvalidPostcode:
                return postcode
    return postcode


def _must_fit(country: str, reading: TypedPlace) -> None:
    """Refuse a reading with another country than the stated one."""
    for group in reading.regions:
        if not any(r.country == country or r.country in TERRITORIES.get(country, ()) for r in group):
            raise PostcodeNotFound(
                f"{group[0].label} is not in {COUNTRIES[country].in_text}, the country that was given. "
                "Check the country, or leave one of them out.",
                field="country",
                suggestions=(
                    Suggestion(
                        reading.postcode or reading.town,
                        group[0].country,
                        Message("in %(region)s", region=group[0].label),
                    ),
                ),
            )


def _near_its_council(reader: Reader, place: Place, reading: TypedPlace) -> Place:
    """Check a British place against the town whose council was stated: the data know only the nation of a place."""
    if place.country not in BRITISH:
        return place
    for group in reading.regions:
        for region in group:
            is_council = bool(region.name) and fold_name(region.name) not in region.listed
            if is_council and find_towns(reader, region.name, "GB").whole:
                return agree(place, reader, region.name)
    return place


def _must_lie_in(reader: Reader, place: Place, reading: TypedPlace) -> None:
    """Refuse a place outside a stated region."""
    admin = admin_of(place)
    for group in reading.regions:
        if any(region.holds(place.country, admin) for region in group):
            continue
        if place.country in BRITISH and any(
            region.holds(town.country, town.admin)
            for town in towns_near(reader, place.coordinates, place.uncertainty_km + _BORDER_KM)
            for region in group
        ):
            continue
        stated = next((region for region in group if region.country == place.country), group[0])
        what = place.postcode or place.name
        raise PostcodeNotFound(
            f"{what} is in {place.name or COUNTRIES[place.country].in_text}, not in {stated.label}. "
            "Check the code, or leave one of them out.",
            field="postcode",
            suggestions=(Suggestion(what, place.country, f"in {place.name or COUNTRIES[place.country].name}"),),
        )


def _best(
    context: Context,
    asked: str,
    fault: InvalidPostcode | PostcodeNotFound | None,
    read: Fault,
) -> Fault:
    """Choose the most helpful error, and add suggestions."""
    country = context.country
    if country is None:
        is_helpful = bool(getattr(read, "suggestions", ())) or not (has_digit(asked) and isinstance(read, TownNotFound))
        return read if is_helpful else nowhere(context, asked)
    if not has_digit(asked) and isinstance(read, TownNotFound):
        return TownNotFound(
            f"{read.message} Postcodes of {COUNTRIES[country].in_text} have digits.",
            field="postcode",
            suggestions=read.suggestions,
        )
    if isinstance(read, (PostcodeNotFound, TownNotFound)) and isinstance(fault, InvalidPostcode) and read.suggestions:
        return read
    if fault is None:
        return read
    others = known_elsewhere(context.reader, asked, without=country)
    if not others or fault.suggestions or isinstance(fault, PostcodeNotFound):
        return fault
    said = in_a_row(fault.said, Message(CODE_OF_OTHERS, countries=listed(others)))
    return InvalidPostcode(said, field="postcode", suggestions=others)
