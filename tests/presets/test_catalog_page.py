from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pydantic
import pytest

from presets import catalog, catalog_page, schema

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "presets.md"


def test_the_page_is_what_the_catalogue_says(request: pytest.FixtureRequest) -> None:
    page = catalog_page.markdown(catalog.load().presets)
    if request.config.getoption("--update-golden"):
        PAGE.write_text(page, encoding="utf-8")
    assert page == PAGE.read_text(encoding="utf-8"), "`make golden` renews it"


def keys(model: type[pydantic.BaseModel], path: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        nested, many = part(field.annotation)
        place = f"{path}{name}{'[]' if many else ''}"
        if nested is None:
            yield f"{path}{name}"
        else:
            yield from keys(nested, f"{place}.")


def part(annotation: Any) -> tuple[type[pydantic.BaseModel] | None, bool]:
    """The model that a field holds, one or a list of them."""
    for one in (annotation, *get_args(annotation)):
        if isinstance(one, type) and issubclass(one, pydantic.BaseModel):
            return one, one is not annotation
    return None, False


def test_the_page_lists_every_key_of_the_form() -> None:
    assert list(catalog_page.KEYS) == list(keys(schema._Family))


def test_a_window_shows_in_the_kv_cache() -> None:
    known = catalog.load()
    said = {
        name: catalog_page.kv_text(found)
        for name in ("phi-2", "gpt-oss-20b", "glm-5.2-fp8", "tiny-chat")
        if (found := known.find(name))
    }
    assert said == {
        "phi-2": "327,680",
        "gpt-oss-20b": "49,152, then 24,576",
        "glm-5.2-fp8": "54,912",  # one byte per value
        "tiny-chat": "3,584",  # four bytes per value
    }
