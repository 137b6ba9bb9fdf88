"""Everyday forms of town names: abbreviations, nicknames, the numbers of a city's districts."""

from __future__ import annotations

import re

from sitematch.gazetteer.grammar import fold_name

_NICKNAMES: dict[str, tuple[str, str]] = {
    "nyc": ("New York City", "US"), "ny city": ("New York City", "US"), "the big apple": ("New York City", "US"),
    "la": ("Los Angeles", "US"), "sf": ("San Francisco", "US"),
    "san fran": ("San Francisco", "US"), "philly": ("Philadelphia", "US"), "vegas": ("Las Vegas", "US"),
    "nola": ("New Orleans", "US"), "slc": ("Salt Lake City", "US"), "dc": ("Washington", "US"),
    "washington dc": ("Washington", "US"), "okc": ("Oklahoma City", "US"), "st pete": ("Saint Petersburg", "US"),
    "indy": ("Indianapolis", "US"), "jax": ("Jacksonville", "US"),
    "ffm": ("Frankfurt am Main", "DE"), "cdmx": ("Mexico City", "MX"),
    "gdl": ("Guadalajara", "MX"), "mty": ("Monterrey", "MX"), "rio": ("Rio de Janeiro", "BR"),
    "sampa": ("São Paulo", "BR"), "bh": ("Belo Horizonte", "BR"), "poa": ("Porto Alegre", "BR"),
    "bsas": ("Buenos Aires", "AR"), "bs as": ("Buenos Aires", "AR"), "caba": ("Buenos Aires", "AR"),
    "capital federal": ("Buenos Aires", "AR"), "kl": ("Kuala Lumpur", "MY"), "jb": ("Johor Bahru", "MY"),
    "joburg": ("Johannesburg", "ZA"), "jozi": ("Johannesburg", "ZA"), "jhb": ("Johannesburg", "ZA"),
    "hcmc": ("Ho Chi Minh City", "VN"), "tphcm": ("Ho Chi Minh City", "VN"), "bkk": ("Bangkok", "TH"),
    "spb": ("Saint Petersburg", "RU"), "питер": ("Saint Petersburg", "RU"), "спб": ("Saint Petersburg", "RU"),
    "мск": ("Moscow", "RU"), "екб": ("Yekaterinburg", "RU"), "bcn": ("Barcelona", "ES"),
    "donosti": ("San Sebastián", "ES"),
    "cph": ("Copenhagen", "DK"), "kbh": ("Copenhagen", "DK"), "gbg": ("Gothenburg", "SE"), "sthlm": ("Stockholm", "SE"),
    "bxl": ("Brussels", "BE"),
    "blr": ("Bengaluru", "IN"), "vizag": ("Visakhapatnam", "IN"), "trivandrum": ("Thiruvananthapuram", "IN"),
    "brum": ("Birmingham", "GB"), "tlv": ("Tel Aviv", "IL"),
}  # fmt: skip

# Folded words that people abbreviate at the beginning or inside a name.
_WORDS: dict[str, tuple[str, ...]] = {
    "n": ("north",), "s": ("south",), "e": ("east",), "w": ("west",), "no": ("north",), "so": ("south",),
    "mt": ("mount", "mountain"), "mtn": ("mountain",), "mte": ("monte",), "ft": ("fort",), "pt": ("point", "port"),
    "hts": ("heights",), "spgs": ("springs",), "spg": ("spring",), "jct": ("junction",), "bch": ("beach",),
    "ctr": ("center",), "cntr": ("center",), "vlg": ("village",), "twp": ("township",), "is": ("island",),
    "lk": ("lake",), "vly": ("valley",), "hbr": ("harbor",), "gr": ("gross", "grand"), "kl": ("klein",),
    "sta": ("santa",), "sto": ("santo",), "pto": ("puerto",), "gral": ("general",), "cnel": ("coronel",),
    "vl": ("villa",), "va": ("villa",), "cd": ("ciudad",), "st": ("saint", "sankt", "sint"), "ste": ("sainte",),
    "skt": ("sankt",), "upr": ("upper",), "lwr": ("lower",), "gt": ("great",), "lt": ("little",), "lit": ("little",),

}  # fmt: skip

# German (and other) endings that distinguish towns of one name. Without dots: "a.M." is "am", "i. Br." is "i br".
_ENDINGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), full)
    for pattern, full in (
        (r" (?:am?|a m|a main)$", " am main"), (r" (?:i ?br|i breisgau|im br)$", " im breisgau"),
        (r" (?:a ?rh|a rhein|am rh)$", " am rhein"), (r" (?:o ?d ?t|od tauber|o d tauber)$", " ob der tauber"),
        (r" (?:v ?d ?h|v d hohe|v d hoehe)$", " vor der hohe"), (r" (?:a ?d ?|a d )(saale|s)$", " an der saale"),
        (r" (?:a ?d |ad )(\w+)$", r" an der \1"), (r" (?:a ?s|a see)$", " am see"), (r" a (\w+)$", r" am \1"),
        (r" (?:i ?d ?opf|opf|i d oberpfalz)$", " in der oberpfalz"), (r" (?:i ?ow|i odenw)$", " im odenwald"),
        (r" (?:i ?w|i westf|westf)$", " in westfalen"), (r" i (\w+)$", r" in \1"), (r" b (\w+)$", r" bei \1"),
        (r" (?:a ?n|a neckar)$", " am neckar"), (r" (?:s ?m|s mer)$", " sur mer"), (r" s (\w+)$", r" sur \1"),
        (r" n ?t$", " nad tisou"), (r" n (\w+)$", r" nad \1"), (r" d f$", " distrito federal"),
    )
)  # fmt: skip


def nickname(text: str, country: str | None) -> tuple[str, str] | None:
    """Return the town and country of a nickname ("NYC"); None if it is not one, or belongs to another country.

    Examples
    --------
    >>> nickname("N.Y.C.", None), nickname("NYC", "DE")
    (('New York City', 'US'), None)
    """
    found = _NICKNAMES.get(fold_name(text))
    return found if found is not None and country in (None, found[1]) else None


def spelled_out(key: str) -> tuple[str, ...]:
    """Expand the abbreviations of a folded name, in every possible way.

    Examples
    --------
    >>> spelled_out("mt vernon"), spelled_out("n las vegas"), spelled_out("frankfurt am")
    (('mount vernon', 'mountain vernon'), ('north las vegas',), ('frankfurt am main', 'frankfurt'))
    """
    found: list[str] = []
    words = key.split()
    if len(words) > 1:
        ways: list[tuple[str, ...]] = [()]
        for word in words:
            ways = [(*way, full) for way in ways for full in _WORDS.get(word, (word,))][:16]
        found += (" ".join(way) for way in ways)
    for pattern, full in _ENDINGS:
        longer = pattern.sub(full, key)
        if longer != key:
            found.append(longer)
            # GeoNames often has the short name: "Freiburg" for Freiburg im Breisgau.
            found.append(pattern.sub("", key))
    return tuple(dict.fromkeys(other for other in found if other and other != key))


ROMAN = {
    "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10, "xi": 11, "xii": 12,
    "xiii": 13, "xiv": 14, "xv": 15, "xvi": 16, "xvii": 17, "xviii": 18, "xix": 19, "xx": 20, "xxi": 21, "xxii": 22,
    "xxiii": 23,
}  # fmt: skip
"""Roman numbers of districts, folded."""

# City: (country, districts, the postcode of one). Dublin's 6W is its own.
_DISTRICTS: dict[str, tuple[str, int, str]] = {
    "paris": ("FR", 20, "750{:02}"), "lyon": ("FR", 9, "6900{}"), "marseille": ("FR", 16, "130{:02}"),
    "wien": ("AT", 23, "1{:02}0"), "vienna": ("AT", 23, "1{:02}0"), "vienne": ("AT", 23, "1{:02}0"),
    "praha": ("CZ", 10, "1{}000"), "prague": ("CZ", 10, "1{}000"), "prag": ("CZ", 10, "1{}000"),
    "praga": ("CZ", 10, "1{}000"), "budapest": ("HU", 23, "1{:02}1"), "dublin": ("IE", 24, "D{:02}"),
    "baile atha cliath": ("IE", 24, "D{:02}"), "zurich": ("CH", 64, "80{:02}"), "bern": ("CH", 29, "30{:02}"),
    "basel": ("CH", 59, "40{:02}"),
}  # fmt: skip
_DISTRICT = re.compile(
    r"^(?P<city>\D+?)[ ,]+(?:cedex )?(?:d |district |arrondissement |bezirk |ker |kerulet )?"
    r"(?P<number>\d{1,2}|[ivx]+)(?:e|er|eme|th|st|nd|rd)?"
    r"(?: (?:arr|arrondissement|arrdt|bezirk|ker|kerulet|district))?$"
)
_DISTRICT_FIRST = re.compile(
    r"^(?P<number>\d{1,2}|[ivx]+)(?:e|er|eme|th|st|nd|rd)? ?(?:arr|arrondissement|arrdt|bezirk|ker|kerulet|district)?"
    r" (?:de )?(?P<city>\D+)$"
)


def district(text: str) -> tuple[str, str, str] | None:
    """Parse a city with the number of one of its districts.

    Parameters
    ----------
    text
        ``"Dublin 4"``, ``"Paris 13e"``, ``"Wien IX"``, ``"Praha 1"``.

    Returns
    -------
    tuple or None
        The city's name as typed (folded), and the country and postcode of the district; both are empty if the city's
        districts are unknown. None if there is no such number.

    Examples
    --------
    >>> district("Dublin 4"), district("Paris XIII"), district("Prague 10"), district("Lima 27"), district("Bonn")
    (('dublin', 'IE', 'D04'), ('paris', 'FR', '75013'), ('prague', 'CZ', '10000'), ('lima', '', ''), None)
    """
    key = fold_name(text)
    if key.startswith("dublin 6w"):
        return "dublin", "IE", "D6W"
    found = _DISTRICT.match(key) or _DISTRICT_FIRST.match(key)
    if found is None:
        return None
    number = int(found["number"]) if found["number"].isdigit() else ROMAN.get(found["number"], 0)
    city = found["city"].strip()
    country, most, form = _DISTRICTS.get(city, ("", 0, ""))
    if not 1 <= number <= most:
        return (city, "", "") if found["number"].isdigit() else None
    if country == "CZ" and number == 10:
        return city, country, "10000"
    return city, country, form.format(number)


# The 23 wards of Tokyo, with the postcode of each ward's office. GeoNames' towns lack some and misplace others.
_WARDS = {
    "chiyoda": "1028688", "chuo": "1048404", "minato": "1058511", "shinjuku": "1608484", "bunkyo": "1128555",
    "taito": "1108615", "sumida": "1308640", "koto": "1358383", "shinagawa": "1408715", "meguro": "1538573",
    "ota": "1448621", "setagaya": "1548504", "shibuya": "1508010", "nakano": "1648501", "suginami": "1668570",
    "toshima": "1718422", "kita": "1148508", "arakawa": "1168501", "itabashi": "1738501", "nerima": "1768501",
    "adachi": "1208510", "katsushika": "1248555", "edogawa": "1328501",
    "千代田": "1028688", "中央": "1048404", "港": "1058511", "新宿": "1608484", "文京": "1128555", "台東": "1108615",
    "墨田": "1308640", "江東": "1358383", "品川": "1408715", "目黒": "1538573", "大田": "1448621", "世田谷": "1548504",
    "渋谷": "1508010", "中野": "1648501", "杉並": "1668570", "豊島": "1718422", "北": "1148508", "荒川": "1168501",
    "板橋": "1738501", "練馬": "1768501", "足立": "1208510", "葛飾": "1248555", "江戸川": "1328501",
}  # fmt: skip
# Other cities have wards with these names, and other towns have these names.
_NOT_ALONE = frozenset(("chuo", "minato", "kita", "ota", "nakano", "sumida", "arakawa", "koto", "taito"))
_WARD = re.compile(r"^(?P<ward>.+?)(?P<kind>[ -]?(?:ku|city|ward)|区)?$")


def ward_of_tokyo(text: str) -> str:
    """Return the postcode of a ward of Tokyo; empty if the text is not one.

    Examples
    --------
    >>> ward_of_tokyo("Nerima-ku"), ward_of_tokyo("Kōtō City"), ward_of_tokyo("品川区"), ward_of_tokyo("Minato")
    ('1768501', '1358383', '1408715', '')
    """
    found = _WARD.match(fold_name(text))
    if found is None or (found["kind"] is None and (found["ward"] in _NOT_ALONE or not found["ward"].isascii())):
        return ""
    return _WARDS.get(found["ward"], "")
