"""The parser of the command line: traitlets' own, but a typing slip is an error and not a warning."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any, NoReturn

from traitlets.config.loader import KVArgParseConfigLoader

from ..errors import InvalidArgument


class _Strict(ArgumentParser):
    """Raises an error instead of exiting, and accepts options between the arguments."""

    def error(self, message: str) -> NoReturn:
        raise InvalidArgument(f"The command line cannot be parsed: {message}.", recovery="See `--help`.")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        # `config set KEY --json VALUE`: plain argparse takes all arguments from one place only.
        return self.parse_intermixed_args(args, namespace)


# traitlets names its own parser in this attribute only; the class itself is private.
_Parser: Any = type("_Parser", (_Strict, KVArgParseConfigLoader.parser_class), {})


class StrictLoader(KVArgParseConfigLoader):
    """Options and flags of one command, and `--Class.trait=value`."""

    parser_class = _Parser

    def _parse_args(self, args: Any) -> None:
        for word in before_dashes(args):
            option = word.split("=", 1)[0]
            name = option.removeprefix("--")
            known = name in self.aliases or name in self.flags
            # What has a dot is `--Class.trait`; the command checks it against the classes.
            if option.startswith("--") and "." not in option and not known:
                raise InvalidArgument(f"Unknown option `{option}`.", recovery="See `--help`.")
            if "=" in word and name in self.flags and name not in self.aliases:
                # The value is not repeated: somebody may have taken this for the place of a key.
                raise InvalidArgument(f"`{option}` takes no value.", recovery="See `--help`.")
        super()._parse_args(args)


def before_dashes(argv: Sequence[str]) -> list[str]:
    """The arguments that may be options: those before a lone ``--``."""
    return list(argv[: argv.index("--")]) if "--" in argv else list(argv)
