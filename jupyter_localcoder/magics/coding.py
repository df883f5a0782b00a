"""The magics that ask the model about code. This module parses and sends; what is shown is `answering`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from traitlets import Enum

from ..contract.generation import Command
from .answering import answer
from .failure import shortly
from .history import CellHistory
from .kernel_variables import variables_of
from .last_error import ErrorRecorder
from .link import Link
from .options import Options, coding_arguments
from .origin import origin_of
from .record import Records
from .target import TargetFinder
from .trying import Trials


@magics_class
class CodingMagics(Magics):
    """`%explain`, `%improve`, `%fix`, `%document`, `%test`, `%generate` and `%coder`."""

    shell: InteractiveShell

    verify_changes = Enum(
        ["never", "always"],
        default_value="never",
        help="Whether `%%improve`, `%%fix`, `%%document` and `%%generate` run the new code in an isolated "
        "copy of the notebook, and show what it does there. `never`: only with `--verify`.",
    ).tag(config=True)

    def __init__(self, shell: InteractiveShell, link: Link, records: Records) -> None:
        super().__init__(shell)
        self.link = link
        self._records = records
        self._history = CellHistory(shell)
        self.errors = ErrorRecorder(self._history)
        self._targets = TargetFinder(shell, self._history, self.errors)
        self._trials = Trials(shell)

    @no_var_expand
    @line_cell_magic
    @coding_arguments(applies=False)
    def explain(self, line: str, cell: str | None = None) -> None:
        """Explain code, step by step.

        Examples::

            %%explain                      the code below, in this cell
            %explain 3                     the cell In[3]
            %explain -1                    the cell that ran before this one
            %explain my_function           a function, class, module or value
            %%explain for a beginner       with an instruction
        """
        self._run("explain", CodingMagics.explain, line, cell)

    @no_var_expand
    @line_cell_magic
    @coding_arguments(applies=True, verifies=True)
    def improve(self, line: str, cell: str | None = None) -> None:
        """Improve code and show what would change. The code below is not run here, nor is the new one.

        Examples::

            %%improve                      the code below, in this cell
            %improve -1 --apply next       the cell before; the new code goes into the next cell
            %%improve --apply replace      the new code takes the place of this cell's text
            %%improve --verify             run old and new code in a copy, and compare the results
            %%improve keep the comments    with an instruction
        """
        self._run("improve", CodingMagics.improve, line, cell)

    @no_var_expand
    @line_cell_magic
    @coding_arguments(applies=True, verifies=True, repeats=True)
    def fix(self, line: str, cell: str | None = None) -> None:
        """Correct code that fails, and show what would change.

        Examples::

            %fix                           the last error, and the cell that raised it
            %fix keep the loop             the same, with an instruction
            %fix 3                         the cell In[3]
            %%fix --apply replace          the code below, in this cell
            %fix --until-runs              run the new code in a copy; if it fails, correct it again
        """
        self._run("fix", CodingMagics.fix, line, cell)

    @no_var_expand
    @line_cell_magic
    @coding_arguments(applies=True, verifies=True)
    def document(self, line: str, cell: str | None = None) -> None:
        """Add docstrings and comments to code, and show what would change.

        Examples::

            %%document                     the code below, in this cell
            %document my_function          a function or class
            %document -1 NumPy style       the cell before, with an instruction
        """
        self._run("document", CodingMagics.document, line, cell)

    @no_var_expand
    @line_cell_magic
    @coding_arguments(applies=True)
    def test(self, line: str, cell: str | None = None) -> None:
        """Write tests for code.

        Examples::

            %%test                         for the code below, in this cell
            %test my_function              for a function or class
            %test -1 --apply next          for the cell before; the tests go into the next cell
        """
        self._run("test", CodingMagics.test, line, cell)

    @no_var_expand
    @line_cell_magic
    @coding_arguments(applies=True, verifies=True, repeats=True)
    def generate(self, line: str, cell: str | None = None) -> None:
        """Write code from a description.

        Examples::

            %generate a function that reverses the words of a sentence
            %generate --context 3 --apply next plot the mean per month
            %%generate                     the description is the rest of this cell
            %%generate --until-runs        up to three drafts: the first that runs in a copy
        """
        self._run("generate", CodingMagics.generate, line, cell)

    @no_var_expand
    @line_cell_magic
    @coding_arguments(applies=True)
    def coder(self, line: str, cell: str | None = None) -> None:
        """Ask the model anything.

        A line that ends in a question mark is IPython's way to ask for help; write questions below %%coder.

        Examples::

            %%coder                        the question is the rest of this cell
            %coder Compare lists and tuples in two sentences.
            %coder -o reply --quiet Name three sorting algorithms.
        """
        self._run("prompt", CodingMagics.coder, line, cell)

    def _run(self, command: Command, function: Callable[..., Any], line: str, cell: str | None) -> None:
        options = Options(function, line)
        shortly(lambda: self._run_command(command, options, cell))

    def _run_command(self, command: Command, options: Options, cell: str | None) -> None:
        if cell is None:
            target = self._targets.in_line(command, options.words)
        else:
            target = self._targets.in_cell(command, options.words, cell)
        above = self._history.current if target.number is None else target.number
        request = options.request(
            command,
            code=target.code,
            instruction=target.instruction,
            error=target.error,
            language=target.language,
            context=self._history.above(above, options.context),
            below=self._history.below(above) if 0 < above < self._history.current else (),
            variables=variables_of(self.shell),
            origin=origin_of(self.shell),
        )
        verifies = options.verify or (options.verifies and self.verify_changes == "always")
        trials = self._trials if verifies else None
        answer(self.shell, self.link.client(), request, options, self._records, trials)
