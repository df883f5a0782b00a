"""What all commands share: options, help, and how a group finds its subcommand.

A command is a `JupyterApp`, so that it reads the same config files and traits as the server
extension; it differs in that `run` returns an exit code, and that a typing slip is an error.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from jupyter_core.application import JupyterApp, base_aliases, base_flags
from traitlets import Bool, Instance, default, import_item

from .._version import __version__
from ..errors import InvalidArgument
from ..text.plain_text import keep_plain
from .console import Console
from .exits import ExitCode
from .loader import StrictLoader
from .ports import Ports

if TYPE_CHECKING:
    from ..client import Client
    from ..models.store import ModelStore

Factory = Callable[["LocalCoderCommand"], "LocalCoderCommand"]


def lazy(path: str) -> Factory:
    """A subcommand that is imported when it is called: ``module.Class`` below this package."""

    def make(parent: LocalCoderCommand) -> LocalCoderCommand:
        cls: type[LocalCoderCommand] = import_item(f"{__package__}.{path}")
        return cls(parent=parent, console=parent.console, ports=parent.ports)

    return make


def options(**flags: tuple[str, str]) -> dict[str, Any]:
    """Flags that switch a trait on: name → (``Class.trait``, help)."""
    split = {name.replace("_", "-"): (*trait.split("."), text) for name, (trait, text) in flags.items()}
    return {name: ({cls: {trait: True}}, text) for name, (cls, trait, text) in split.items()}


COMMON_FLAGS = options(
    json=("LocalCoderCommand.json_output", "Print a single JSON document on stdout."),
    quiet=("LocalCoderCommand.quiet", "Print only the answer, without progress or metrics."),
) | {"debug": (base_flags["debug"][0], "Enable debug logging, and show the traceback of unexpected errors.")}


class LocalCoderCommand(JupyterApp):
    """Base of every command."""

    name = "jupyter-localcoder"
    version = __version__
    usage: ClassVar[str] = ""
    """The command line, without ``jupyter localcoder`` in front."""
    arguments: ClassVar[tuple[int, int]] = (0, 0)
    """The least and the largest number of positional arguments."""

    flags = COMMON_FLAGS
    aliases = {name: base_aliases[name] for name in ("config", "log-level")}

    console = Instance(Console)
    ports = Instance(Ports)
    json_output = Bool(False, config=True, help="Print a single JSON document on stdout.")
    quiet = Bool(False, config=True, help="Print only the answer, without progress or metrics.")

    def run(self) -> ExitCode:
        """Do it; errors are raised."""
        raise NotImplementedError

    def leaf(self) -> LocalCoderCommand:
        """The command that was asked for: this one, or the subcommand of a subcommand."""
        return self.subapp.leaf() if isinstance(self.subapp, LocalCoderCommand) else self

    def initialize(self, argv: Any = None) -> None:
        """Read the command line and the config files; what is wrong with them is raised."""
        # The wrapped one prints a traitlets error and leaves with 1; here all errors look the same.
        inspect.unwrap(JupyterApp.initialize)(self, argv)
        if not self.subapp:
            from .configurables import check_values

            check_values(self.config, type(self))
        low, high = self.arguments
        if not self.subapp and not low <= len(self.extra_args) <= high:
            raise InvalidArgument(
                f"`{self._called}` takes {_counted(low, high)}, and {len(self.extra_args)} were given.",
                recovery=f"Usage: jupyter localcoder {self.usage}",
            )

    def parse_command_line(self, argv: Any = None) -> None:
        """Read the command line, or hand it to the subcommand."""
        inspect.unwrap(JupyterApp.parse_command_line)(self, argv)
        if not self.subapp:
            from .configurables import check

            check(self.cli_config, type(self))

    def initialize_subcommand(self, subc: str, argv: Any = None) -> None:
        """Make the subcommand and let it read the rest."""
        inspect.unwrap(JupyterApp.initialize_subcommand)(self, subc, argv)

    @contextmanager
    def client(self, *, allow_local: bool = True) -> Generator[Client, None, None]:
        """A connection for the length of a ``with`` block."""
        with closing(self.ports.connect(self, allow_local)) as client:
            yield client

    def store(self) -> ModelStore:
        """The model store of this user."""
        return self.ports.store(self)

    def note(self, text: str) -> None:
        """Print a side remark, unless that is unwanted."""
        if not self.quiet:
            self.console.note(text)

    def migrate_config(self) -> None:
        """Do nothing: this command came long after the configuration that would be migrated."""

    def print_help(self, classes: bool = False) -> None:
        """Print the help; with ``--help-all`` every trait of the service and the store too."""
        if classes:
            from .configurables import configurables

            self.classes = [type(self), *configurables()]
        self.console.help("\n".join(self.emit_help(classes=classes)))

    def emit_description(self) -> Generator[str, None, None]:
        """Yield the usage first, then the description."""
        yield f"Usage: jupyter localcoder {self.usage}"
        yield ""
        yield from super().emit_description()

    def _create_loader(self, argv: Any, aliases: Any, flags: Any, classes: Any) -> StrictLoader:
        return StrictLoader(argv, aliases, flags, classes=classes, log=self.log)

    def _find_subcommand(self, name: str) -> str:
        """No program on the PATH becomes a subcommand by its name."""
        return ""

    def _config_file_name_default(self) -> str:
        """The file of the server extension: one configuration for both."""
        return "jupyter_localcoder_config"

    def _log_level_default(self) -> int:
        return logging.WARNING

    @default("log")
    def _log_default(self) -> Any:
        log = super()._log_default()
        keep_plain(log)
        return log

    def emit_subcommands_help(self) -> Generator[str, None, None]:
        """Yield one line for each subcommand."""
        if self.subcommands:
            yield from ("Subcommands", "===========")
            width = max(map(len, self.subcommands)) + 2
            yield from (f"  {name.ljust(width)}{text}" for name, (_, text) in self.subcommands.items())
            yield ""

    def emit_options_help(self) -> Generator[str, None, None]:
        """Yield the options: this command's own first, then those that all have."""
        from .helptext import help_lines, option_lines

        base = LocalCoderCommand
        flags = {name: flag for name, flag in self.flags.items() if name not in base.flags}
        aliases = {name: trait for name, trait in self.aliases.items() if name not in base.aliases}
        yield from ("Options", "=======")
        yield from option_lines(type(self), flags, aliases)
        yield from option_lines(type(self), base.flags, base.aliases)
        yield from help_lines()
        yield ""

    def emit_help_epilogue(self, classes: bool) -> Generator[str, None, None]:
        """Yield nothing: the options say how to see more."""
        yield from ()

    @property
    def _called(self) -> str:
        return self.usage.split(" [")[0].rstrip(" .")


class LocalCoderGroup(LocalCoderCommand):
    """Base of a command that only has subcommands."""

    arguments = (0, 1_000)

    def run(self) -> ExitCode:
        """Say which subcommands there are."""
        names = ", ".join(self.subcommands)
        given = self.extra_args[0] if self.extra_args else ""
        message = f"There is no subcommand `{given}`." if given else "A subcommand is missing."
        if given in self.subcommands:
            message = f"Put options after `{given}`, not before it."
        recovery = f"Usage: jupyter localcoder {self.usage}\nSubcommands: {names}"
        raise InvalidArgument(message, recovery=recovery)


def _counted(low: int, high: int) -> str:
    if high == 0:
        return "no argument"
    if low == high:
        return "one argument" if low == 1 else f"{low} arguments"
    return f"{low} to {high} arguments"
