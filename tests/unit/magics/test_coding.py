"""The coding magics in a real shell: what they send, what they show, how they fail."""

from __future__ import annotations

import linecache
from typing import Any

import msgspec
import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

from jupyter_localcoder.errors import ModelNotReady
from jupyter_localcoder.magics import Interrupted, MagicFailure

LOOP = "total = 0\nfor i in range(3):\n    total += i\n"
BETTER = "total = sum(range(3))"


def run(shell: InteractiveShell, cell: str) -> ExecutionResult:
    return shell.run_cell(cell, store_history=True)


def failure(result: ExecutionResult) -> str:
    """The sentence with which a cell failed."""
    assert isinstance(result.error_in_exec, MagicFailure)
    return str(result.error_in_exec)


class TestRequest:
    @pytest.mark.parametrize("command", ["explain", "improve", "fix", "document", "test"])
    def test_the_cell_is_the_code_and_the_words_are_the_instruction(
        self, shell: Any, client: Any, command: str
    ) -> None:
        assert run(shell, f"%%{command} keep it -> short, don't shout\n{LOOP}").success
        (request,) = client.asked
        assert (request.command, request.code) == (command, LOOP)
        assert request.instruction == "keep it -> short, don't shout"
        assert request.context == ()

    @pytest.mark.parametrize(("magic", "command"), [("generate", "generate"), ("coder", "prompt")])
    def test_a_description_may_stand_on_the_line_and_in_the_cell(
        self, shell: Any, client: Any, magic: str, command: str
    ) -> None:
        run(shell, f"%{magic} reverse a list")
        run(shell, f"%%{magic} --seed 3 Be brief.\nreverse a list\n")
        assert [(r.command, r.code, r.instruction) for r in client.asked] == [
            (command, "", "reverse a list"),
            (command, "", "Be brief.\nreverse a list"),
        ]

    def test_options_reach_the_request(self, shell: Any, client: Any) -> None:
        run(
            shell,
            "%%improve --model m --profile Tiny --max-tokens 64 --temperature 0.5 --seed 9 --quiet\nx = 1",
        )
        (request,) = client.asked
        assert (request.model, request.profile, request.max_tokens) == ("m", "Tiny", 64)
        assert (request.sampling.temperature, request.sampling.seed) == (0.5, 9)

    def test_braces_and_dollars_are_left_alone(self, shell: Any, client: Any) -> None:
        run(shell, "x = 5")
        run(shell, "%%explain what is {x} and $x and %s?\nf'{x}' + '$x'\n")
        run(shell, "%coder tell me what {x} and $x is")
        assert client.asked[0].instruction == "what is {x} and $x and %s?"
        assert client.asked[0].code == "f'{x}' + '$x'\n"
        assert client.asked[1].instruction == "tell me what {x} and $x is"

    @pytest.mark.parametrize(
        ("options", "field"),
        [("--temperature -1", "temperature"), ("--max-tokens 0", "max_tokens"), ("--seed -1", "seed")],
    )
    def test_a_value_out_of_range_is_named_and_not_sent(
        self, shell: Any, client: Any, options: str, field: str
    ) -> None:
        sentence = failure(run(shell, f"%%explain {options}\nx = 1"))
        assert field in sentence
        assert "VALIDATION_ERROR" in sentence
        assert client.asked == []

    @pytest.mark.parametrize(
        "options", ["--seed x", "--format pdf", "--sede 3", "--apply now", "--context -1", "-o 1x"]
    )
    def test_a_slip_in_an_option_is_a_usage_error(self, shell: Any, client: Any, options: str) -> None:
        assert isinstance(run(shell, f"%%improve {options}\nx = 1").error_in_exec, UsageError)
        assert client.asked == []

    @pytest.mark.parametrize("cell", ["%%explain\n  \n\n", "%%generate\n \n", "%%coder words\n \n"])
    def test_an_empty_cell_is_a_sentence_and_no_request(self, shell: Any, client: Any, cell: str) -> None:
        assert "The cell is empty" in failure(run(shell, cell))
        assert client.asked == []

    def test_the_language_of_a_cell_magic_is_told(self, shell: Any, client: Any) -> None:
        run(shell, "%%explain\n%%bash\nls -l\n")
        assert client.asked[0].language == "bash"

    def test_context_is_what_stood_above_without_the_assistants_own_cells(
        self, shell: Any, client: Any
    ) -> None:
        for cell in ("a = 1", "b = 2", "%localcoder nonsense", "%%explain\nz = 1", "c = 3"):
            run(shell, cell)
        client.asked.clear()
        run(shell, "%%generate --context 2\nsum them")
        run(shell, "%explain 2 --context 5")
        assert [(c.source, c.execution_count) for c in client.asked[0].context] == [
            ("b = 2", 2),
            ("c = 3", 5),
        ]
        assert [c.source for c in client.asked[1].context] == ["a = 1"]
        # What has run after the cell is there to be kept working, not to be read.
        assert [c.source for c in client.asked[1].below] == ["c = 3"]
        assert client.asked[0].below == ()

    def test_names_and_types_of_the_kernel_go_along_and_never_a_value(self, shell: Any, client: Any) -> None:
        run(shell, "secret = 'a value'\nnumber = 12345")
        run(shell, "%%generate\nuse secret")
        told = {variable.name: variable.type for variable in client.asked[0].variables}
        assert (told["secret"], told["number"]) == ("str", "int")
        assert "a value" not in repr(client.asked[0].variables)
        assert "12345" not in repr(client.asked[0].variables)


def twice(fake: Any, first: str, *second: str) -> list[Any]:
    """The script of an answer that could not be used, and of the second one."""
    started, delta, _ = fake.answer(first)
    _, *deltas, done = fake.answer(*second)
    return [started, delta, *(msgspec.structs.replace(one, attempt=2) for one in deltas), done]


class TestTarget:
    def test_a_cell_by_its_number_and_counted_back(self, shell: Any, client: Any) -> None:
        run(shell, "a = 1")
        run(shell, "b = 2")
        run(shell, "%explain 1")
        run(shell, "%improve -2 keep the name")
        run(shell, "%improve --quiet 2 --seed 3 keep the name")
        assert [r.code for r in client.asked] == ["a = 1", "b = 2", "b = 2"]
        assert [r.instruction for r in client.asked] == ["", "keep the name", "keep the name"]

    def test_of_a_cell_with_one_of_our_magics_only_the_code_is_meant(self, shell: Any, client: Any) -> None:
        run(shell, f"%%explain\n{LOOP}")
        run(shell, "%improve -1")
        assert client.asked[1].code.strip() == LOOP.strip()

    @pytest.mark.parametrize("word", ["99", "-99", "0", "no_such_name", "a.b.c", "3;"])
    def test_what_is_not_there_is_a_sentence(self, shell: Any, client: Any, word: str) -> None:
        message = failure(run(shell, f"%explain {word}"))
        assert "There is no" in message or "does not exist" in message
        assert client.asked == []

    def test_a_function_by_name_comes_with_its_source(self, shell: Any, client: Any) -> None:
        run(shell, "def twice(x):\n    return 2 * x")
        run(shell, "%explain twice for a beginner")
        assert client.asked[0].code.strip() == "def twice(x):\n    return 2 * x"
        assert client.asked[0].instruction == "for a beginner"

    def test_a_method_loses_its_indentation(self, shell: Any, client: Any) -> None:
        run(shell, "class A:\n    def m(self):\n        return 1")
        run(shell, "%document A.m")
        assert client.asked[0].code.startswith("def m(self):")

    def test_a_value_without_source_is_described_and_not_improved(self, shell: Any, client: Any) -> None:
        run(shell, "answer = 42")
        run(shell, "%explain answer")
        assert client.asked[0].code.startswith("answer: int\n\n42")
        assert "source code of `answer`" in failure(run(shell, "%improve answer"))

    def test_a_module_does_not_send_all_of_its_source(self, shell: Any, client: Any) -> None:
        run(shell, "import json")
        run(shell, "%explain json")
        assert client.asked[0].code.startswith("json: module")
        assert "def dumps" not in client.asked[0].code

    @pytest.mark.parametrize("line", ["%explain", "%improve --quiet", "%generate", "%coder"])
    def test_a_line_without_words_says_how_it_is_used(self, shell: Any, client: Any, line: str) -> None:
        assert isinstance(run(shell, line).error_in_exec, UsageError)
        assert client.asked == []


class TestFix:
    def test_alone_it_takes_the_last_error_and_the_cell_that_raised_it(self, shell: Any, client: Any) -> None:
        run(shell, "def broken(x):\n    return x + missing\n")
        run(shell, "y = 1\nbroken(y)")
        run(shell, "z = 3")
        run(shell, "%fix keep the name")
        (request,) = client.asked
        assert request.code.strip() == "def broken(x):\n    return x + missing"
        assert request.instruction == "keep the name"
        assert request.error.startswith("Traceback")
        assert "NameError: name 'missing' is not defined" in request.error
        assert "Cell In[2], line 2" in request.error
        assert "Cell In[1], line 2, in broken" in request.error
        assert "interactiveshell" not in request.error

    def test_a_syntax_error_counts(self, shell: Any, client: Any) -> None:
        run(shell, "x = (1,\ny = 2")
        run(shell, "%fix")
        assert client.asked[0].code == "x = (1,\ny = 2"
        assert "SyntaxError" in client.asked[0].error

    def test_its_own_failure_does_not_hide_the_error(self, shell: Any, client: Any) -> None:
        run(shell, "1 / 0")
        script, client.script = client.script, ModelNotReady()
        failure(run(shell, "%fix"))
        run(shell, "%%improve --sede\nx")
        client.script = script
        run(shell, "%fix")
        assert client.asked[-1].code == "1 / 0"

    def test_an_error_from_before_the_extension_was_loaded_counts(
        self, shell: Any, client: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from jupyter_localcoder.magics import register, unregister

        unregister(shell)
        run(shell, "[][7]")
        register(shell, lambda: client)
        run(shell, "%fix")
        assert client.asked[0].code == "[][7]"
        assert "IndexError" in client.asked[0].error

    def test_code_that_is_the_cell_of_the_last_error_comes_with_it(self, shell: Any, client: Any) -> None:
        run(shell, "1 / 0")
        run(shell, "%%fix\n1 / 0")
        run(shell, "%%fix\n2 / 0")
        assert "ZeroDivisionError" in client.asked[0].error
        assert client.asked[1].error == ""

    def test_without_an_error_it_says_so(
        self, shell: Any, client: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delattr("sys.last_value", raising=False)
        assert "There has been no error yet" in failure(run(shell, "%fix"))

    def test_a_long_traceback_keeps_its_two_ends(self, shell: Any, client: Any) -> None:
        run(shell, "raise ValueError('head' + 'x' * 20_000 + 'tail')")
        run(shell, "%fix")
        assert len(client.asked[0].error) < 6_100
        assert client.asked[0].error.rstrip().endswith("tail")


class TestTerminal:
    def test_the_answer_streams_as_plain_text_with_one_line_after_it(
        self, shell: Any, client: Any, fake: Any, capsys: Any
    ) -> None:
        client.script = fake.answer("It ", "\x1b[31mre", "\x1b]52;c;", "QQ==\x07turns\r", "\u202e 1.")
        run(shell, "%%explain\nx = 1")
        out = capsys.readouterr().out
        assert out == "It returns 1.\n120 tokens · 60 tokens/s · 2.1 s · tiny-model\n"

    def test_a_second_answer_is_set_apart_from_the_first(
        self, shell: Any, client: Any, fake: Any, capsys: Any
    ) -> None:
        client.script = twice(fake, "bad answer", "good ", "answer")
        run(shell, "%%explain --quiet\nx = 1")
        assert capsys.readouterr().out.splitlines() == [
            "bad answer",
            "This answer cannot be used. A second one:",
            "good answer",
        ]
        client.script = twice(fake, "bad = 1", f"```python\n{BETTER}\n```")
        run(shell, "%%generate --quiet --format code\nx")
        assert capsys.readouterr().out == f"{BETTER}\n"

    def test_quiet_leaves_only_the_answer(self, shell: Any, client: Any, fake: Any, capsys: Any) -> None:
        client.script = fake.answer(f"```python\n{BETTER}\n```")
        run(shell, f"%%improve --quiet\n{LOOP}")
        assert capsys.readouterr().out == f"```python\n{BETTER}\n```\n"

    def test_improve_ends_with_a_diff(self, shell: Any, client: Any, fake: Any, capsys: Any) -> None:
        client.script = fake.answer(f"```python\n{BETTER}\n```")
        run(shell, f"%%improve --format code\n{LOOP}")
        assert capsys.readouterr().out.splitlines()[:6] == [
            BETTER,
            "@@ -1,3 +1 @@",
            "- total = 0",
            "- for i in range(3):",
            "-     total += i",
            f"+ {BETTER}",
        ]

    def test_the_new_code_goes_into_the_next_input_and_is_not_run(
        self, shell: Any, client: Any, fake: Any
    ) -> None:
        client.script = fake.answer("```python\nran = True\n```")
        run(shell, "%%improve --apply next\nran = False")
        assert shell.rl_next_input == "ran = True"
        assert "ran" not in shell.user_ns

    def test_a_cell_of_another_language_stays_one(
        self, shell: Any, client: Any, fake: Any, capsys: Any
    ) -> None:
        client.script = fake.answer("```bash\nls -l\n```")
        run(shell, "%%improve --apply replace\n%%bash --out files\nls")
        assert shell.rl_next_input == "%%bash --out files\nls -l"
        assert client.asked[-1].language == "bash"
        assert "+ ls -l" in capsys.readouterr().out

        shell.rl_next_input = None
        client.script = fake.answer("```python\nimport os\n```")
        run(shell, "%%improve --apply replace\n%%bash --out files\nls")
        assert shell.rl_next_input is None
        out = capsys.readouterr().out
        assert "Not applied: the answer is not in the language of the code, which is bash." in out
        assert "- ls" not in out

    def test_code_of_a_cell_above_is_left_out_and_said(
        self, shell: Any, client: Any, fake: Any, capsys: Any
    ) -> None:
        run(shell, "def load(path):\n    return open(path).read()")
        client.script = fake.answer(
            "```python\ndef load(path):\n    return open(path).read()\n\ntext = load('a')\n```"
        )
        run(shell, "%%improve --context 1 --apply next\n%time\ntext=load('a')")
        assert shell.rl_next_input == "%time\ntext = load('a')"
        assert "2 lines were copied from other cells and left out." in capsys.readouterr().out

    @pytest.mark.parametrize("finish", ["length", "timeout", "canceled"])
    def test_half_an_answer_is_not_applied(
        self, shell: Any, client: Any, fake: Any, capsys: Any, finish: str
    ) -> None:
        client.script = fake.answer("```python\nx = ", finish=finish)
        shell.rl_next_input = None
        run(shell, "%%improve --apply replace\nx = 1")
        assert shell.rl_next_input is None
        assert "Not applied: the answer is not complete." in capsys.readouterr().out

    def test_the_answer_can_be_kept_in_a_variable(self, shell: Any, client: Any, fake: Any) -> None:
        client.script = fake.answer("```python\nx = 1\n```")
        assert run(shell, "%coder -o reply hello").result is None
        run(shell, "%generate -o code --format code one")
        assert shell.user_ns["reply"] == "```python\nx = 1\n```"
        assert shell.user_ns["code"] == "x = 1"

    def test_an_encoding_that_lacks_a_character_is_no_error(
        self, shell: Any, client: Any, fake: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import io

        out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        monkeypatch.setattr("sys.stdout", out)
        client.script = fake.answer("größer")
        run(shell, "%%explain --quiet\nx = 1")
        assert out.buffer.getvalue() == b"gr??er\n"  # type: ignore[attr-defined]


class TestFailure:
    def test_an_error_is_one_line_and_fails_the_cell(self, shell: Any, client: Any, capsys: Any) -> None:
        client.script = ModelNotReady()
        result = run(shell, "%%explain\nx = 1")
        assert failure(result).endswith("[MODEL_NOT_READY]")
        shown = capsys.readouterr().out.strip()
        assert shown == (
            "The model is not on this machine yet. Download it with `jupyter localcoder models pull ID`, "
            "or import a GGUF file. [MODEL_NOT_READY]"
        )

    def test_what_came_before_an_error_is_shown(
        self, shell: Any, client: Any, fake: Any, capsys: Any
    ) -> None:
        client.script = [*fake.answer("So far")[:-1], ModelNotReady("Gone.", recovery="\x1b[2JWait.")]
        assert failure(run(shell, "%%explain\nx = 1")) == "Gone. Wait. [MODEL_NOT_READY]"
        assert capsys.readouterr().out.startswith("So far\n")

    def test_no_server_and_no_service_is_a_sentence(self, shell: Any) -> None:
        from jupyter_localcoder.errors import ConnectionFailed
        from jupyter_localcoder.magics import register, unregister

        def nothing() -> Any:
            raise ConnectionFailed("Nobody is there.")

        unregister(shell)
        register(shell, nothing)
        assert failure(run(shell, "%localcoder status")).startswith("Nobody is there.")

    def test_an_interrupt_closes_the_stream_keeps_the_answer_and_stops_the_cell(
        self, shell: Any, client: Any, fake: Any, capsys: Any
    ) -> None:
        client.script = [*fake.answer("So far")[:-1], KeyboardInterrupt()]
        result = run(shell, "%explain len\nafter = 1")
        assert isinstance(result.error_in_exec, Interrupted)
        assert client.streams[0].closed
        assert "after" not in shell.user_ns
        assert capsys.readouterr().out == "So far\ncancelled\nCancelled. The partial answer is kept.\n"


class TestNotebook:
    def test_one_output_is_updated_and_the_last_update_is_whole(
        self, notebook: Any, client: Any, fake: Any
    ) -> None:
        client.script = fake.answer(*(f"{number} " for number in range(500)))
        run(notebook, "%%explain --quiet\nx = 1")
        outputs = notebook.display_pub.outputs
        assert [output["update"] for output in outputs] == [False] + [True] * (len(outputs) - 1)
        assert len({output["transient"]["display_id"] for output in outputs}) == 1
        assert outputs[-1]["data"]["text/markdown"].split() == [str(number) for number in range(500)]
        assert len(outputs) < 50

    def test_a_second_answer_takes_the_place_of_the_first(
        self, notebook: Any, client: Any, fake: Any
    ) -> None:
        client.script = twice(fake, "bad answer", "good ", "answer")
        run(notebook, "%%explain --quiet\nx = 1")
        outputs = notebook.display_pub.outputs
        assert outputs[-1]["data"]["text/markdown"] == "good answer"
        assert not any(
            "bad" in text and "good" in text for output in outputs for text in output["data"].values()
        )

    def test_how_the_answer_was_made_is_kept_with_it(self, notebook: Any) -> None:
        run(notebook, "%%explain --quiet\nx = 1")
        record = notebook.display_pub.outputs[-1]["metadata"]["localcoder"]
        assert (record["model"], record["digest"], record["quantization"]) == ("tiny-model", "d1", "Q4_K_M")
        assert (record["seed"], record["prompt_sha256"], record["sampling"]["top_k"]) == (7, "p1", 40)
        assert record["time"].endswith("+00:00")

    def test_an_image_in_an_answer_is_not_fetched(self, notebook: Any, client: Any, fake: Any) -> None:
        client.script = fake.answer("![x](https://evil/p) <img src=x>")
        run(notebook, "%%explain --quiet\nx = 1")
        shown = notebook.display_pub.outputs[-1]["data"]["text/markdown"]
        assert "![" not in shown
        assert "<img" not in shown

    def test_a_diff_has_signs_and_escapes_the_code(self, notebook: Any, client: Any, fake: Any) -> None:
        client.script = fake.answer("```python\ns = '<img src=x>'\n```")
        run(notebook, "%%improve\ns = ''")
        _, diff, line = notebook.display_pub.outputs[-3:]
        assert "+ s = &#x27;&lt;img src=x&gt;&#x27;" in diff["data"]["text/html"]
        assert "<img" not in diff["data"]["text/html"]
        assert diff["data"]["text/plain"].splitlines()[1:] == ["- s = ''", "+ s = '<img src=x>'"]
        assert line["data"]["text/plain"] == "120 tokens · 60 tokens/s · 2.1 s · tiny-model"

    @pytest.mark.parametrize(
        ("style", "data"),
        [
            ("text", {"text/plain": "See:\n```python\nx = 1\n```"}),
            ("code", {"text/markdown": "```python\nx = 1\n```", "text/plain": "x = 1"}),
        ],
    )
    def test_formats(self, notebook: Any, client: Any, fake: Any, style: str, data: Any) -> None:
        client.script = fake.answer("See:\n```python\nx = 1\n```")
        run(notebook, f"%%explain --quiet --format {style}\nx = 1")
        assert notebook.display_pub.outputs[-1]["data"] == data


class TestRegistration:
    def test_help_names_the_options_and_gives_examples(self, shell: Any) -> None:
        text = shell.object_inspect_mime("%improve")["text/plain"]
        for part in ("--apply", "--max-tokens", "--seed", "%%improve keep the comments", "never run"):
            assert part in text

    def test_unloading_takes_everything_away(self, shell: Any, client: Any) -> None:
        from jupyter_localcoder.magics import unregister

        run(shell, "%coder hello")
        unregister(shell)
        assert client.closed
        assert shell.find_cell_magic("explain") is None
        assert shell.find_line_magic("localcoder") is None
        unregister(shell)

    def test_loading_twice_keeps_the_client(self, shell: Any, client: Any) -> None:
        from jupyter_localcoder.magics import register

        register(shell, lambda: pytest.fail("a second client"))
        run(shell, "%coder hello")
        assert len(client.asked) == 1

    def test_the_package_is_the_extension(self, shell: Any) -> None:
        from jupyter_localcoder.magics import unregister

        unregister(shell)
        assert run(shell, "%load_ext jupyter_localcoder").success
        assert shell.find_cell_magic("explain") is not None
        assert run(shell, "%unload_ext jupyter_localcoder").success
        assert shell.find_cell_magic("explain") is None


@pytest.fixture(autouse=True)
def _forget_sources() -> Any:
    """Shells of different tests name their cells alike."""
    yield
    linecache.clearcache()


class TestReasoning:
    def script(self, client: Any, fake: Any) -> None:
        thoughts = [fake.Delta(run="r", text="", reasoning=piece) for piece in ("<b>Hm", ".\x1b[31m Well.")]
        started, *rest = fake.answer("```python\n", f"{BETTER}\n```")
        client.script = [started, *thoughts, *rest]

    def test_a_notebook_folds_it_away(self, notebook: Any, client: Any, fake: Any) -> None:
        self.script(client, fake)
        assert run(notebook, f"%%improve --out better\n{LOOP}").success
        shown = [output["data"] for output in notebook.display_pub.outputs]
        folded = [data for data in shown if "<details>" in data.get("text/html", "")]
        assert folded[-1] == {
            "text/html": "<details><summary>Reasoning (12 characters)</summary>"
            '<pre style="white-space: pre-wrap; color: var(--jp-ui-font-color2, gray)">'
            "&lt;b&gt;Hm. Well.</pre></details>",
            "text/plain": "Reasoning (12 characters)",
        }
        answers = [data["text/markdown"] for data in shown if "text/markdown" in data]
        assert answers
        assert not any("Hm" in text for text in answers)

    def places(self, notebook: Any) -> list[dict[str, str]]:
        """What the outputs show at the end, from top to bottom."""
        shown: dict[str, dict[str, str]] = {}
        for output in notebook.display_pub.outputs:
            display_id = (output.get("transient") or {}).get("display_id")
            if display_id is not None:
                assert (display_id in shown) == bool(output.get("update"))
                shown[display_id] = output["data"]
        return list(shown.values())

    def test_it_stands_above_the_answer(self, notebook: Any, client: Any, fake: Any) -> None:
        self.script(client, fake)
        assert run(notebook, f"%%explain\n{LOOP}").success
        fold, answer = self.places(notebook)
        assert "<details>" in fold["text/html"]
        assert BETTER in answer["text/markdown"]

    def late(self, client: Any, fake: Any) -> None:
        """What was told as answer turns out to have begun with reasoning."""
        started, *pieces, done = fake.answer("Hm, well.", "It is 4.")
        done = msgspec.structs.replace(done, text="It is 4.", reasoning="Hm, well.")
        client.script = [started, *pieces, done]

    def test_what_was_shown_as_answer_and_was_reasoning_is_moved(
        self, notebook: Any, client: Any, fake: Any
    ) -> None:
        self.late(client, fake)
        assert run(notebook, f"%%explain\n{LOOP}").success
        fold, answer = self.places(notebook)
        assert "Hm, well." in fold["text/html"]
        assert answer["text/markdown"] == "It is 4."

    def test_a_terminal_writes_the_answer_alone_after_it(
        self, shell: Any, client: Any, fake: Any, capsys: Any
    ) -> None:
        self.late(client, fake)
        run(shell, f"%%explain\n{LOOP}")
        assert "The output began with reasoning. The answer alone:\nIt is 4.\n" in capsys.readouterr().out

    def test_what_was_folded_and_was_the_answer_is_folded_no_more(
        self, notebook: Any, client: Any, fake: Any
    ) -> None:
        started, piece, done = fake.answer("It is 4.")
        client.script = [started, fake.Delta(run="r", text="", reasoning="It is 4."), piece, done]
        assert run(notebook, f"%%explain\n{LOOP}").success
        assert self.places(notebook) == [
            {"text/plain": ""},
            {"text/markdown": "It is 4.", "text/plain": "It is 4."},
        ]

    def test_a_terminal_says_that_there_is_some(
        self, shell: Any, client: Any, fake: Any, capsys: Any
    ) -> None:
        self.script(client, fake)
        run(shell, f"%%explain\n{LOOP}")
        out = capsys.readouterr().out
        assert out.count("The model is reasoning.") == 1
        assert "Hm" not in out
