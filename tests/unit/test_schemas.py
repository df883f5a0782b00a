"""The schemas do not show which version of msgspec wrote them."""

from __future__ import annotations

import msgspec

from jupyter_localcoder.contract.schemas import components, normalized


class Wheel(msgspec.Struct):
    """One wheel.

    Its size
        is in inches.
    """

    description: str = ""
    """The word itself is a name of a field here."""


class Bicycle(msgspec.Struct):
    """Two wheels."""

    front: Wheel | None = None


def test_descriptions_have_the_text_of_the_docstring_without_its_indentation() -> None:
    schemas = components([Bicycle, Wheel], "#/{name}")
    assert list(schemas) == ["Bicycle", "Wheel"]
    assert schemas["Wheel"]["description"] == "One wheel.\n\nIts size\n    is in inches."
    assert schemas["Wheel"]["properties"]["description"]["type"] == "string"


def test_null_is_the_last_of_a_union() -> None:
    (front,) = components([Bicycle], "#/{name}")["Bicycle"]["properties"].values()
    assert front["anyOf"] == [{"$ref": "#/Wheel"}, {"type": "null"}]


def test_both_forms_that_msgspec_has_written_become_one() -> None:
    indented = {"a": [{"description": "Head.\n\n    Body.", "anyOf": [{"type": "null"}, {"$ref": "#/A"}]}]}
    clean = {"a": [{"description": "Head.\n\nBody.", "anyOf": [{"$ref": "#/A"}, {"type": "null"}]}]}
    assert normalized(indented) == normalized(clean) == clean
