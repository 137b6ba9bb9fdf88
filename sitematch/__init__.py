"""From a postcode in any country to a clinical trial's recruiting sites, ranked, with reasons."""

__version__ = "0.1.0"

__all__ = ["Located", "MatchedFrame", "Matches", "StudyFinder", "__version__", "locate", "match", "match_many", "open"]

TYPE_CHECKING = False  # without typing, which would be most of the time of ``import sitematch``
if TYPE_CHECKING:
    from sitematch.library.many import MatchedFrame
    from sitematch.library.opening import StudyFinder, locate, match, match_many, open  # noqa: A004
    from sitematch.library.results import Located, Matches

_HOMES = {
    "Located": "results",
    "MatchedFrame": "many",
    "Matches": "results",
    "StudyFinder": "opening",
    "locate": "opening",
    "match": "opening",
    "match_many": "opening",
    "open": "opening",
}
"""The module of each public name in `sitematch.library`."""


def __getattr__(name: str) -> object:
    """Import a public name at its first use, so that ``import sitematch`` itself loads nothing."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'sitematch' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"sitematch.library.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, also those that are not loaded yet."""
    return sorted({*globals(), *__all__})
