"""Validates FHIR resources with the models of fhir.resources, and checks the rest by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def validate(resource: Any) -> None:
    """Check a resource as JSON holds it.

    The models are R4B's (4.3.0): of the types used here its elements and codes are those of R4 (4.0.1), see
    docs/fhir.md. They do not judge codes, ids of resources, nor that nothing is empty, so that is done here.
    """
    model = get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    for place, element in elements(model, resource["resourceType"]):
        for name, info in type(element).model_fields.items():
            extra = info.json_schema_extra
            codes = extra.get("enum_values") if isinstance(extra, dict) else None
            value = getattr(element, name)
            if codes and value is not None:
                for code in value if isinstance(value, list) else [value]:
                    assert code in codes, (place, name, code, codes)
    for place, value in parts(resource, resource["resourceType"]):
        assert value not in ("", [], {}, None), f"{place} is empty"
        assert not isinstance(value, str) or value.strip(), f"{place} is blank"
        if isinstance(value, dict) and "resourceType" in value and "id" in value:
            assert ID.fullmatch(value["id"]), place
        if isinstance(value, dict) and "url" in value and "Extension" not in place and ".extension" in place:
            values = [key for key in value if key.startswith("value")]
            assert len(values) + ("extension" in value) == 1, f"{place}: one value, or parts"


def elements(model: BaseModel, place: str) -> Iterator[tuple[str, BaseModel]]:
    yield place, model
    for name in type(model).model_fields:
        value = getattr(model, name)
        for number, inner in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(inner, BaseModel):
                yield from elements(inner, f"{place}.{name}[{number}]")


def parts(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    yield place, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from parts(inner, f"{place}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from parts(inner, f"{place}[{number}]")
