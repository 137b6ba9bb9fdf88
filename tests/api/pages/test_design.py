"""The design system's colours: every pair of text and background is readable, in light and dark mode."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import api

TOKENS = (Path(api.__file__).parent / "frontend" / "src" / "styles" / "tokens.css").read_text(encoding="utf-8")

TEXT = [
    # what is written, on what
    *((ink, ground) for ink in ("ink", "ink-soft", "accent", "accent-strong") for ground in ("ground", "surface", "sunken")),
    ("on-accent", "accent"), ("on-accent", "accent-strong"), ("accent-strong", "accent-soft"), ("accent", "accent-soft"),
    ("on-deep", "deep"), ("on-deep-soft", "deep"),
    *((tone, f"{tone}-soft") for tone in ("good", "caution", "bad", "you")),
    *((tone, "surface") for tone in ("good", "caution", "bad", "you")),
    *(("ink", f"{tone}-soft") for tone in ("good", "caution", "bad")),
    ("surface", "bad"), ("surface", "ink"),
    ("map-text", "map-land"), ("map-text", "map-sea"),
]  # fmt: skip
MARKS = [("edge", "surface"), ("edge", "ground"), ("you", "map-sea"), ("you", "map-land"), ("accent", "map-sea")]


def colours(scheme: str) -> dict[str, str]:
    """Read the tokens that come in a light and a dark colour."""
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", TOKENS)
    return {name: light if scheme == "light" else dark for name, light, dark in pairs}


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""

    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    """Contrast ratio of WCAG 2.2, 1 to 21."""
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(TEXT, 4.5), (MARKS, 3.0)], ids=["text", "marks"])
def test_colours_are_distinguishable(scheme: str, pairs: list[tuple[str, str]], least: float) -> None:
    token = colours(scheme)

    faint = {f"{a} on {b}": round(contrast(token[a], token[b]), 2) for a, b in pairs}

    assert {pair: ratio for pair, ratio in faint.items() if ratio < least} == {}


def test_contrast_is_wcags() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_browsers_without_light_dark_get_every_light_colour() -> None:
    fallback = TOKENS.partition("@supports not")[2]
    short = dict(re.findall(r"--([\w-]+): (#\w+)", fallback))

    assert {name: value if len(value) == 7 else "#" + "".join(2 * c for c in value[1:]) for name, value in short.items()
            if name in colours("light")} == colours("light")  # fmt: skip
