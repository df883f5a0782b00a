"""How a line becomes a comment, in the languages that kernels speak."""

from __future__ import annotations

_MARKS = {
    "//": (
        "c", "c++", "cpp", "csharp", "c#", "f#", "fsharp", "go", "groovy", "java", "javascript", "js",
        "kotlin", "node", "php", "rust", "scala", "swift", "typescript", "ts", "zig",
    ),
    "--": ("ada", "haskell", "lua", "postgresql", "sql", "sqlite", "mysql"),
    "%": ("erlang", "latex", "matlab", "octave", "prolog"),
    ";;": ("clojure", "common lisp", "lisp", "racket", "scheme"),
    "(*": ("ocaml", "mathematica", "wolfram"),
    "<!--": ("html", "svg", "xml"),
}  # fmt: skip
_MARK_OF = {language: mark for mark, languages in _MARKS.items() for language in languages}


def mark_of(language: str) -> str:
    """What makes a comment of a line; `#` where the language is not known."""
    return _MARK_OF.get(language.lower(), "#")


def comment(text: str, language: str) -> str:
    """Each line of a text as a comment; `#` where the language is not known."""
    mark = mark_of(language)
    end = {"(*": " *)", "<!--": " -->"}.get(mark, "")
    return "\n".join(f"{mark} {line}".rstrip() + end for line in text.splitlines())
