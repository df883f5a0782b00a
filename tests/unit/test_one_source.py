"""A fact that is declared in the contract stands nowhere else, neither in TypeScript nor in Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import jupyter_localcoder
from jupyter_localcoder import errors
from jupyter_localcoder.contract import words
from jupyter_localcoder.contract.common import MODEL_ID_PATTERN, RESPONSE_ID_PATTERN
from jupyter_localcoder.contract.constants import FACTS, FORMS, Constant, Pattern
from jupyter_localcoder.contract.fill_tokens import FILL_FAMILIES
from jupyter_localcoder.contract.provenance import Provenance
from jupyter_localcoder.contract.schemas import components
from jupyter_localcoder.contract.tex import DISARMED_TEX

PACKAGE = Path(jupyter_localcoder.__file__).parent
PAGE = PACKAGE.parent / "labextension" / "src"
GENERATED = PAGE / "contract.ts"
COMMENT = re.compile(r"/\*.*?\*/|(?<![:'\"])//[^\n]*", re.DOTALL)
PROPERTIES = [
    schema for form in components(set(FORMS), "{name}").values() for schema in form["properties"].values()
]
PARTS = [part for schema in PROPERTIES for part in (schema, *schema.get("anyOf", []))]
PATTERNS = {fact.source for fact in FACTS if isinstance(fact, Pattern)} | {
    part["pattern"] for part in PARTS if "pattern" in part
}
LIMITS = {
    int(part[name]) for part in PARTS for name in ("maximum", "maxLength", "maxItems") if name in part
} - {3600}
"""Without the seconds of an hour, which are not only a limit."""
TELLING = {limit for limit in LIMITS if limit > 100 and len(str(limit).rstrip("0")) > 1}
"""Those that a number in the code is hardly by chance; 1000 is also a second in milliseconds."""
LISTS = [fact for fact in FACTS if isinstance(fact, Constant) and isinstance(fact.value, tuple)]

SENTENCES = {text for texts in words.GROUPS.values() for text in texts.values() if len(text.split()) > 2}
"""Words alone, such as `Delete`, mean something else in each place."""

ALLOWED = {
    ("shared/text/units.ts", "1024"): "tokens of a context are written in units of it",
}


def page_sources() -> list[tuple[str, str]]:
    """Path and code, without comments, of each module that is written by hand."""
    return [
        (path.relative_to(PAGE).as_posix(), COMMENT.sub("", path.read_text()))
        for path in sorted(PAGE.rglob("*.ts*"))
        if path != GENERATED
    ]


def found(pattern: str) -> list[str]:
    return [
        f"{path}: {match[0]}"
        for path, code in page_sources()
        for match in re.finditer(pattern, code)
        if (path, match[0].replace("_", "")) not in ALLOWED
    ]


def test_no_error_code_is_written_in_typescript() -> None:
    assert not found("|".join(rf"['\"`]{code}['\"`]" for code in errors.by_code()))


def test_no_pattern_is_written_in_typescript() -> None:
    sources = {pattern.removeprefix("^").removesuffix(r"\Z") for pattern in PATTERNS}
    assert not found("|".join(re.escape(source) for source in sources))


def test_no_limit_is_written_in_typescript() -> None:
    spelled = "|".join(rf"{limit}|{limit:_}" for limit in sorted(TELLING, reverse=True))
    assert not found(rf"(?<![\w.#'-])(?:{spelled})(?![\w.%])")


def test_the_fields_of_forms_take_their_limits_from_the_contract() -> None:
    assert not found(r"\b(?:max|maxLength)=\{[\d_.]+\}")


def test_no_list_is_written_in_typescript() -> None:
    for fact in LISTS:
        items = [re.escape(item) for item in fact.value]
        assert not found(rf"(?:['\"](?:{'|'.join(items)})['\"],?\s*){{{min(3, len(items))},}}"), fact.name
    assert not found("|".join(rf"\\\\{command}\b" for command in DISARMED_TEX))


def test_no_token_of_a_model_is_written_in_typescript() -> None:
    assert not found("|".join(re.escape(token) for family in FILL_FAMILIES for token in family.tokens))


def test_no_single_name_is_written_in_typescript() -> None:
    assert not found("['\"]embedded['\"]")


def test_no_shared_sentence_is_written_in_typescript() -> None:
    assert not found("|".join(rf"__\(\s*['\"]{re.escape(text)}['\"]" for text in SENTENCES))


def test_each_exception_is_still_one() -> None:
    """A list of exceptions that nobody needs any more hides the next copy."""
    code = dict(page_sources())
    assert all(text in code[path].replace("_", "") for path, text in ALLOWED)


@pytest.mark.parametrize("name", ["text", "code"])
def test_comments_do_not_count(name: str) -> None:
    assert COMMENT.sub("", f"/* 'x' */ {name} // 'y'\n").strip() == name


def python_texts() -> Iterator[tuple[str, str]]:
    """Path and each literal of the package; docstrings are none."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        described = {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in described:
                yield path.relative_to(PACKAGE).as_posix(), node.value


def test_no_pattern_is_written_twice_in_python() -> None:
    for pattern in (*PATTERNS, MODEL_ID_PATTERN, RESPONSE_ID_PATTERN):
        core = pattern.removeprefix("^").removesuffix(r"\Z")
        assert len({path for path, text in python_texts() if core in text}) <= 1, core


def test_no_token_of_a_model_is_written_twice_in_python() -> None:
    tokens = {token for family in FILL_FAMILIES for token in family.tokens}
    assert {path for path, text in python_texts() if text in tokens} == {"contract/fill_tokens.py"}


def test_no_error_code_is_written_twice_in_python() -> None:
    types = {"contract/generation.py", "generation/runs.py"}
    tables = {"contract/registry.py"}
    places = {path for path, text in python_texts() if text in errors.by_code()}
    assert places <= {"errors.py", *types, *tables}


def test_no_shared_sentence_is_written_in_a_widget() -> None:
    plain = {text for text in SENTENCES if "%1" not in text}
    assert not {text for path, text in python_texts() if path.startswith("widgets/")} & plain


def test_values_go_into_the_places_of_a_text() -> None:
    assert words.filled("%1 %: %2 of %3", 5, "%1", "x") == "5 %: %1 of x"
    assert words.filled("no place") == "no place"


def test_the_record_of_a_magic_has_the_fields_of_the_contract() -> None:
    names = {field.name for field in msgspec.structs.fields(Provenance)}
    tree = ast.parse((PACKAGE / "magics" / "record.py").read_text())
    written = {
        key.value
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name in ("record_of", "stamp_of")
        for each in ast.walk(node)
        if isinstance(each, ast.Dict)
        for key in each.keys
        if isinstance(key, ast.Constant)
    }
    assert written == names
