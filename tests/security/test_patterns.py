"""No regular expression of the program can be made to take exponential time."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

import api
import sitematch
from tests.security.patterns import risks

_ASK = {"compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}


def written_patterns() -> Iterator[tuple[str, str, int]]:
    """Yield every pattern that is written out in the code: where, the pattern, its flags."""
    for package in (sitematch, api):
        root = Path(str(package.__file__)).parent
        for path in sorted(root.rglob("*.py")):
            if "node_modules" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    found = _pattern_of(node)
                    if found is not None:
                        yield f"{path.relative_to(root.parent)}:{node.lineno}", found, 0


def _pattern_of(call: ast.Call) -> str | None:
    function = call.func
    asks = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "re"
    if asks and isinstance(function, ast.Attribute) and function.attr in _ASK and call.args:
        return _text(call.args[0])
    for keyword in call.keywords:
        if keyword.arg == "pattern":
            return _text(keyword.value)
    return None


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        return node.value if isinstance(node.value, str) else node.value.decode("latin-1")
    return None


def built_patterns() -> Iterator[tuple[str, str, int]]:
    """Yield every pattern that a module holds once it is imported, however it was put together."""
    for package in (sitematch, api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" in module.name or module.name.endswith("__main__"):
                continue
            for name, value in vars(importlib.import_module(module.name)).items():
                for number, pattern in enumerate(_patterns_in(value, 0)):
                    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
                    yield f"{module.name}.{name}[{number}]", text, pattern.flags


def _patterns_in(value: Any, depth: int) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth > 4:
        return
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _patterns_in(item, depth + 1)
    elif isinstance(value, tuple | list | set | frozenset):
        for item in value:
            yield from _patterns_in(item, depth + 1)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _patterns_in(getattr(value, field.name), depth + 1)


def test_no_pattern_can_be_made_to_take_exponential_time() -> None:
    found = {(where, text): flags for where, text, flags in [*written_patterns(), *built_patterns()]}

    at_risk = {where: (text, why) for (where, text), flags in found.items() if (why := risks(text, flags))}

    assert len(found) > 120, "the walk no longer finds the patterns"
    assert at_risk == {}


@pytest.mark.parametrize("pattern", [r"/(?:[\w.-]+/?)*", r"(a+)+$", r"(?:\s*\w+\s*,?)*", r"(.*)*x", r"(?:\w|\d\d)*!"])
def test_a_pattern_that_takes_exponential_time_is_found(pattern: str) -> None:
    assert risks(pattern)


@pytest.mark.parametrize("pattern", [r"(?:/[\w.-]+)*/?", r"\d+(?:,\d+)*", r"[a-z]+(?: [a-z]+)*", r"(?:ab|cd)*"])
def test_a_pattern_that_cannot_is_left_alone(pattern: str) -> None:
    assert risks(pattern) == []


def test_preferences_answer_a_path_that_used_to_take_for_ever(client: FlaskClient) -> None:
    answer = client.post("/preferences", data={"lang": "de", "back": "/" + "a" * 60 + "!"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


@pytest.mark.parametrize("back", ["", "//elsewhere.example", "/\\elsewhere.example", "elsewhere", "/a//b", "/a?b=c"])
def test_preferences_lead_back_to_our_own_pages_only(client: FlaskClient, back: str) -> None:
    answer = client.post("/preferences", data={"lang": "de", "back": back})

    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("back", ["/", "/docs", "/problems/not-found", "/problems/"])
def test_preferences_lead_back_to_the_page(client: FlaskClient, back: str) -> None:
    answer = client.post("/preferences", data={"lang": "de", "back": back})

    assert answer.headers["Location"] == back
