"""Write sitematch/gazetteer/grammar/_region_names.py: states, provinces and counties by name and code.

Run ``python tools/make_region_names.py CLDR GAZETTEER``, where CLDR is the folder ``common`` of Unicode CLDR (Debian's
package ``unicode-cldr-core`` 41-0.1 installs it as ``/usr/share/unicode/cldr/common``) and GAZETTEER is the compiled
gazetteer. The file is committed, so that the program starts without either.
"""

from __future__ import annotations

import re
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from xml.etree import ElementTree

from sitematch.gazetteer.grammar.names import fold_name, name_keys

TARGET = Path(__file__).resolve().parent.parent / "sitematch" / "gazetteer" / "grammar" / "_region_names.py"

LANGUAGES = ("en", "de", "es", "fr", "pt", "ja", "he", "zh")
"""Names are taken from these languages in every country, and from each country's official ones."""

# Countries of their own in ISO 3166-1, which some country's list of regions names again ("US-PR").
TERRITORIES = frozenset({
    "usas", "usgu", "usmp", "uspr", "usum", "usvi", "frbl", "frgf", "frgp", "frmf", "frmq",
    "frnc", "frpf", "frpm", "frre", "frtf", "frwf", "fryt", "nlaw", "nlcw", "nlsx", "cnhk",
    "cnmo", "cntw", "fi01", "no21", "no22", "frgua", "frlre", "frmay",
})  # fmt: skip

# Words for the kind of a region, which people leave out: "Kanton Zürich", "Tokyo-to", "Silesian Voivodeship".
KINDS = (
    "state of", "province of", "region of", "county of", "canton of", "canton de", "canton du", "kanton", "cantone",
    "land", "freistaat", "freie hansestadt", "freie und hansestadt", "provincia de", "provincia di", "provincia",
    "departamento de", "departamento del", "departamento", "estado de", "estado do", "estado", "region de", "region",
    "region del", "gobierno de", "principado de", "comunidad de", "comunidad autonoma de", "comunitat", "illes",
    "province", "department", "departement", "state", "county", "canton", "prefecture", "voivodeship", "oblast",
    "krai", "kray", "republic", "respublika", "region", "district", "governorate", "municipality", "city",
    "to", "fu", "ken", "do", "kraj", "lan", "lani", "fylke", "megye", "judet", "judetul", "zhupanija", "metropolitan",
    "область", "край", "республика", "автономный округ", "県", "府", "都", "省", "市", "自治区", "도", "광역시",
    "특별시",
    "특별자치도", "특별자치시", "capital territory", "union territory", "community", "maakond", "zupanija", "territory",
)  # fmt: skip

# What people write and the sources do not list.
ALIASES: Mapping[str, str] = {
    "usal": "Ala", "usak": "Alas", "usaz": "Ariz", "usar": "Ark", "usca": "Calif|Cali", "usco": "Colo", "usct": "Conn",
    "usde": "Del", "usdc": "D.C.|Washington DC|Washington D.C.|Dist of Columbia", "usfl": "Fla", "usga": "Ga",
    "usil": "Ill", "usin": "Ind", "usks": "Kans|Kan", "usky": "Ken", "usma": "Mass", "usmi": "Mich",
    "usmn": "Minn", "usms": "Miss", "usmt": "Mont", "usne": "Neb|Nebr", "usnv": "Nev", "usnh": "N Hampshire",
    "usnj": "N Jersey|Jersey", "usnm": "N Mex|N Mexico", "usny": "N York|NY State|Upstate New York",
    "usnc": "N Car|N Carolina", "usnd": "N Dak|N Dakota", "usok": "Okla", "usor": "Ore|Oreg", "uspa": "Penn|Penna",
    "ussc": "S Car|S Carolina", "ussd": "S Dak|S Dakota", "ustn": "Tenn", "ustx": "Tex", "usvt": "Verm",
    "usva": "Virg", "uswa": "Wash|Washington State", "uswv": "W Va|W Virginia", "uswi": "Wis|Wisc", "uswy": "Wyo",
    "caab": "Alta", "cabc": "B.C.", "camb": "Man", "canb": "N Brunswick", "canl": "Newfoundland|Labrador|Nfld",
    "cans": "N Scotia", "cant": "NWT|Northwest Territory", "caon": "Ont", "cape": "P.E.I.", "caqc": "Que|PQ",
    "cask": "Sask",
    "cayt": "Yukon Territory", "aunsw": "N.S.W.", "auqld": "Q'land|Qnsld", "autas": "Tassie", "auvic": "Vict",
    "auwa": "W Australia|West Australia", "ausa": "S Australia", "denw": "NRW", "debw": "BaWü|BaWue",
    "demv": "Meck-Pomm|MV", "derp": "Rhineland-Palatinate|RLP", "desh": "S-H", "mxcmx": "CDMX|DF|Distrito Federal",
    "mxmex": "Edomex|Edo Mex|Estado de Mexico|State of Mexico", "mxroo": "Q Roo", "mxbcn": "BC|B.C.",
    "mxcoa": "Coahuila", "mxmic": "Michoacan", "mxver": "Veracruz", "mxjal": "Jalisco|JAL", "gbnir": "N Ireland|NI",
    "gbeng": "ENG", "gbken": "Kent", "gbcon": "Cornwall", "gbgre": "Greenwich", "inod": "Orissa|Odisha|OR|OD",
    "inor": "Orissa|Odisha|OR|OD", "inut": "Uttarakhand|Uttaranchal|UK|UT", "inct": "Chhattisgarh|CG|CT",
    "intg": "Telangana|TS|TG", "intn": "Tamilnadu|TN", "inka": "Karnataka", "indl": "NCT of Delhi|NCR",
    "inpy": "Pondicherry|Puducherry", "inpb": "PB", "ieg": "Co Galway", "frpac": "PACA", "fridf": "IdF",
    "frges": "Grand-Est", "frcvl": "Centre", "itla": "Lazio", "itlaz": "Lazio", "bevlg": "Flanders",
    "bewal": "Wallonia",
    "brsp": "São Paulo", "arc": "CABA|C.A.B.A.|Capital Federal", "arb": "GBA|Provincia de Buenos Aires",
    "jp13": "Tokyo-to", "jp27": "Osaka-fu", "jp26": "Kyoto-fu", "jp01": "Hokkaido", "ruspe": "Spb", "ruda": "Dagestan",
    "esc": "A Coruña", "esan": "Andalucia", "esvc": "Comunidad Valenciana|C Valenciana", "esmd": "Madrid",
    "nlnb": "Noord-Brabant", "nlge": "Gelderland", "nlzh": "Zuid-Holland", "nlnh": "Noord-Holland",
    "phncr": "NCR|Metro Manila|National Capital Region", "ph00": "NCR|Metro Manila|National Capital Region",
}  # fmt: skip

# Regions as GeoNames calls them where CLDR has no such name.
GEONAMES: Mapping[str, str] = {
    "usdc": "District of Columbia", "clrm": "Región Metropolitana", "clma": "Región de Magallanes y Antártica Chilena",
    "clbi": "Región del Biobío", "cz10": "Hlavní město Praha", "demv": "Mecklenburg-Western Pomerania",
    "dk81": "North Denmark", "dk82": "Central Jutland", "dk83": "South Denmark", "escl": "Castilla - Leon",
    "escn": "Canarias", "fi14": "North Ostrobothnia Region", "fi15": "Northern Savo",
    "fi03": "South Ostrobothnia Region", "it65": "Abruzzi", "jp10": "Gumma Ken", "mxmic": "Michoacán de Ocampo",
    "mxver": "Veracruz de Ignacio de la Llave", "nlge": "Guelders", "pl04": "Kujawsko-Pomorskie", "pl20": "Podlasie",
    "pl26": "Świętokrzyskie", "pt11": "Lisboa", "pkis": "Federal Capital", "pkjk": "Azad Jammu and Kashmir",
    "inct": "Chattisgarh", "bevlg": "Vlaanderen", "dz16": "Alger", "byma": "Moghilev",
    "cosap": "Archipielago De San Andres",
    "codc": "D.C.", "phcar": "Cordillera", "kege": "Elegeyo-Marakwet", "htga": "Grande Anse", "cy04": "Ammochostos",
    "cy06": "Keryneia", "cy03": "Larnaka", "cy01": "Lefkosia", "cy02": "Lemesos", "ruud": "Удмуртская Республика",
    "rucu": "Чувашская Республика", "ruce": "Чеченская Республика", "ruse": "Северная Осетия-Алания Республика",
    "rusa": "Саха (Якутия) Республика", "rukb": "Кабардино-Балкарская Республика",
    "rukc": "Карачаево-Черкесская Республика", "rukam": "Камчатская Область", "ruzab": "Читинская Область",
}  # fmt: skip

# Regions whose short name is also that of another one.
ONLY = {"mxmex": "México", "usdc": "District of Columbia"}

# Counties that were districts' sums, or are no administration any more, and that people write all the same.
FURTHER: tuple[tuple[str, str, str], ...] = tuple(
    ("GB", "England", name)
    for name in (
        "Bedfordshire", "Berkshire", "Cheshire", "Cleveland", "Avon", "Humberside", "Greater London", "Middlesex",
        "Greater Manchester", "Merseyside", "South Yorkshire", "West Yorkshire", "East Yorkshire", "Yorkshire",
        "Tyne and Wear", "West Midlands", "Sussex", "Northamptonshire", "Huntingdonshire", "Westmorland", "Cumberland",
        "Rutland", "Herts", "Bucks", "Berks", "Oxon", "Hants", "Wilts", "Glos", "Lancs", "Lincs", "Notts", "Leics",
        "Northants", "Staffs", "Warks", "Worcs", "Salop", "Beds", "Cambs", "Yorks", "N Yorks", "S Yorks", "W Yorks",
    )
) + tuple(
    ("GB", "Wales", name)
    for name in ("Dyfed", "Gwent", "Clwyd", "Glamorgan", "Mid Glamorgan", "South Glamorgan", "West Glamorgan",
                 "Radnorshire", "Brecknockshire", "Montgomeryshire", "Merionethshire", "Caernarfonshire")
) + tuple(
    ("GB", "Scotland", name)
    for name in ("Lothian", "Strathclyde", "Tayside", "Grampian", "Borders", "Lanarkshire", "Ayrshire",
                 "Renfrewshire", "Dunbartonshire", "Inverness-shire", "Perthshire", "Sutherland", "Caithness")
) + tuple(
    ("GB", "Northern Ireland", f"{prefix}{name}")
    for name in ("Antrim", "Armagh", "Down", "Fermanagh", "Londonderry", "Tyrone")
    for prefix in ("County ", "Co ")
) + tuple(
    ("IE", province, f"{prefix}{county}")
    for province, counties in {
        "Leinster": "Carlow Dublin Kildare Kilkenny Laois Longford Louth Meath Offaly Westmeath Wexford Wicklow",
        "Munster": "Clare Cork Kerry Limerick Tipperary Waterford",
        "Connacht": "Galway Leitrim Mayo Roscommon Sligo",
        "Ulster": "Cavan Donegal Monaghan",
    }.items()
    for county in counties.split()
    for prefix in ("County ", "Co ")
)  # fmt: skip


def names_in(folder: Path, language: str) -> dict[str, str]:
    """Read the subdivisions' names in a language; empty if CLDR has none."""
    path = folder / "subdivisions" / f"{language}.xml"
    if not path.is_file():
        return {}
    found = ElementTree.parse(path).iterfind(".//subdivision")  # noqa: S314 - a file of the distribution's own package
    return {element.attrib["type"]: element.text or "" for element in found}


def parents(folder: Path) -> dict[str, str]:
    """Give the country or region that holds each region: {"usfl": "US", "gbken": "gbeng"}."""
    tree = ElementTree.parse(folder / "supplemental" / "subdivisions.xml")  # noqa: S314
    return {
        child: group.attrib["type"]
        for group in tree.iterfind(".//subgroup")
        for child in group.attrib["contains"].split()
    }


def keys_of(names: Iterable[str]) -> set[str]:
    """Fold names, and leave the word for the kind of region out where a name is left."""
    parts = (part for name in names for part in re.sub(r"\(.*?\)", "", name).split(" / "))
    keys = {key for part in parts for key in name_keys(part) if key}
    for kind in KINDS:
        folded = fold_name(kind)
        for key in tuple(keys):
            shorter = key.removeprefix(f"{folded} ").removesuffix(f" {folded}")
            if not folded.isascii():
                shorter = shorter.removesuffix(folded).strip()
            if len(shorter) >= (3 if shorter.isascii() else 2):
                keys.add(shorter)
    return keys


def main(cldr: Path, gazetteer: Path) -> str:
    """Give the module's text."""
    from babel.languages import get_official_languages

    above = {child: parent for child, parent in parents(cldr).items() if child not in TERRITORIES}
    known: dict[str, dict[str, str]] = {}

    def named(language: str) -> dict[str, str]:
        if language not in known:
            known[language] = names_in(cldr, language)
        return known[language]

    with sqlite3.connect(gazetteer) as connection:
        rows = connection.execute("SELECT DISTINCT country, admin FROM town WHERE admin <> ''").fetchall()
        rows += connection.execute(
            "SELECT DISTINCT c.country, s.text FROM code AS c JOIN label AS l ON l.id = c.name_id "
            "JOIN state AS s ON s.id = l.state_id WHERE s.text <> ''"
        ).fetchall()
    admins: dict[str, set[str]] = defaultdict(set)
    for country, admin in rows:
        admins[country].add(admin)

    regions: dict[str, list[tuple[str, str, tuple[str, ...], tuple[str, ...]]]] = defaultdict(list)
    matched: set[tuple[str, str]] = set()
    first: dict[str, tuple[str, ...]] = {}

    def first_level(code: str) -> str:
        while len(above[code]) > 2:
            code = above[code]
        return code

    # First the regions that hold others, for those inside take the names that the gazetteer has for the outer one.
    for code in sorted(above, key=lambda code: (first_level(code) != code, code)):
        country = code[:2].upper()
        languages = dict.fromkeys((*LANGUAGES, *get_official_languages(country, regional=True, de_facto=True)))
        own = [named(language.split("_")[0])[code] for language in languages if code in named(language.split("_")[0])]
        aliases = [text for text in (*ALIASES.get(code, "").split("|"), GEONAMES.get(code, "")) if text]
        keys = keys_of([*own, *aliases])
        if not keys:
            continue
        mine = {admin for admin in admins[country] if keys_of([admin]) & keys}
        # Thailand's Phetchabun and Phetchaburi are two.
        if first_level(code) == code and not mine and country != "TH":
            mine = {
                admin
                for admin in admins[country]
                if keys & set(get_close_matches(min(keys_of([admin]), key=len), keys, n=1, cutoff=0.8))
            }
            if mine:
                print(f"taken for the same: {country} {own[0]} = {sorted(mine)}", file=sys.stderr)
        if code in ONLY:
            mine = {ONLY[code]}
        held = tuple(sorted({fold_name(admin) for admin in mine}))
        if first_level(code) == code:
            first[code] = held
            matched |= {(country, admin) for admin in mine}
        outer = first.get(first_level(code), ())
        if first_level(code) != code:
            # A country whose towns are listed by the smaller regions (Turkey's provinces) has those.
            held = held if held and not outer else outer
            matched |= {(country, admin) for admin in mine if (fold_name(admin),) == held}
        tail = code[2:].upper()
        short = tail if not any(c.isdigit() for c in tail) else ""
        for admin in mine if first_level(code) == code or not outer else ():
            keys |= keys_of([admin])
        english = named("en").get(code) or own[0]
        regions[country].append((short, english, held, tuple(sorted(keys))))
    for country, members in sorted(admins.items()):
        for admin in sorted(members):
            if (country, admin) not in matched:
                print(f"not in CLDR: {country} {admin}", file=sys.stderr)
                regions[country].append(("", admin, (fold_name(admin),), tuple(sorted(keys_of([admin])))))
    for country, outer_name, name in FURTHER:
        keys = tuple(sorted(key for key in name_keys(name)))
        regions[country].append(("", name, (fold_name(outer_name),), keys))
    lines = [
        '"""Generated by tools/make_region_names.py; do not edit.',
        "",
        "States, provinces, counties and other regions in English, in their country's official languages and in those",
        "of the pages, with the letters of their ISO 3166-2 codes. From Unicode CLDR 41 (Unicode-DFS-2016); which",
        "region the gazetteer's towns are listed under: GeoNames (CC-BY-4.0).",
        '"""',
        "",
        "# fmt: off",
        "# ruff: noqa: E501",
        "REGIONS: dict[str, tuple[str, ...]] = {",
    ]
    for country in sorted(regions):
        lines.append(f"    {country!r}: (")
        for short, english, held, keys in regions[country]:
            lines.append(f"        {'	'.join((short, english, '|'.join(held), '|'.join(keys)))!r},")
        lines.append("    ),")
    lines += [
        "}",
        '"""Country to its regions. Each: the code\'s letters, the English name, the folded names that the',
        'towns of the gazetteer carry for it, and every folded name people write; parted by tabs, and names by |."""',
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    TARGET.write_text(main(Path(sys.argv[1]), Path(sys.argv[2])), encoding="utf-8")
