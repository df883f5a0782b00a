"""Chat templates out of a GGUF, rendered so that neither they nor the messages can do harm.

A template is code from a file that somebody else made: it runs in an immutable sandbox, with limits on
time and size, in the worker only. A message is text from a person or a notebook: it never passes
through the template. The template is rendered with place-holders instead of the messages, and the result
is cut at them, so that ``<|im_start|>`` in a message is tokenised as plain text while the one of the
template is a mark.
"""

from __future__ import annotations

import contextlib
import datetime
import re
import secrets
import signal
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from jinja2 import TemplateError
from jinja2.exceptions import SecurityError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ..contract.wire import Turn
from ..errors import InvalidArgument, InvalidModel
from .template_tags import GenerationTag, as_json

MAX_TEMPLATE_CHARS = 200_000
MAX_OUTPUT_CHARS = 200_000
MAX_RENDER_SECONDS = 2.0
MAX_REPEAT = 100_000

_CHATML = (
    "{% for message in messages %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Also refuses arithmetic that makes huge strings or numbers."""

    intercepted_binops = frozenset(["*", "**", "%"])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**":
            raise SecurityError("powers are not allowed in a chat template")
        if operator == "*":
            for text, times in ((left, right), (right, left)):
                repeats = isinstance(text, str | bytes | list | tuple) and isinstance(times, int)
                if repeats and len(text) * times > MAX_REPEAT:
                    raise SecurityError("a repetition is too long")
        if operator == "%" and isinstance(left, str):
            raise SecurityError("string formatting is not allowed in a chat template")
        return super().call_binop(context, operator, left, right)


class ChatTemplate:
    """The chat template of one model.

    Parameters
    ----------
    source
        Jinja source; empty takes ChatML where ``has_chatml`` says that the model knows its marks.
    bos, eos
        Spelling of the tokens that begin and end a text.
    """

    def __init__(self, source: str, *, bos: str = "", eos: str = "", has_chatml: bool = False) -> None:
        if not source and has_chatml:
            source = _CHATML
        if len(source) > MAX_TEMPLATE_CHARS:
            raise InvalidModel("The chat template of this model is too long to be one.")
        self._source = source
        self._words = {"bos_token": bos, "eos_token": eos}
        self._template: Any = None

    @property
    def usable(self) -> bool:
        """Whether this model can hold a conversation."""
        return bool(self._source)

    def render(self, turns: Sequence[Turn]) -> list[tuple[str, bool]]:
        """Text of the whole prompt in pieces: (text, whether it comes from the template).

        Raises
        ------
        InvalidModel
            The template is broken, or does what it must not.
        InvalidArgument
            The model has no template, or its template does not take these turns.
        """
        if not self.usable:
            raise InvalidArgument(
                "This model has no chat template: it can complete code, and cannot follow an instruction.",
                recovery="Choose another model for commands and chat.",
            )
        try:
            return self._render_once(turns)
        except InvalidArgument:
            folded = _without_system(turns)
            if folded == list(turns):
                raise
            return self._render_once(folded)

    def _render_once(self, turns: Sequence[Turn]) -> list[tuple[str, bool]]:
        nonce = secrets.token_hex(8)
        messages = [{"role": t.role, "content": f"PLACE{nonce}X{i}X"} for i, t in enumerate(turns)]
        text = self._run(messages)
        parts = re.split(rf"PLACE{nonce}X(\d+)X", text)
        seen = {int(number) for number in parts[1::2]}
        if seen != set(range(len(turns))):
            raise InvalidArgument("The chat template of this model leaves a message out.")
        pieces = [
            (turns[int(part)].content, False) if i % 2 else (part, True) for i, part in enumerate(parts)
        ]
        return [(piece, marks) for piece, marks in pieces if piece]

    def _run(self, messages: list[dict[str, str]]) -> str:
        try:
            with _deadline(MAX_RENDER_SECONDS):
                if self._template is None:
                    self._template = _environment().from_string(self._source)
                out: list[str] = []
                size = 0
                for part in self._template.generate(
                    messages=messages, add_generation_prompt=True, tools=None, documents=None, **self._words
                ):
                    size += len(part)
                    if size > MAX_OUTPUT_CHARS:
                        raise InvalidModel("The chat template of this model writes without end.")
                    out.append(part)
                return "".join(out)
        except _Refusal as refusal:
            raise InvalidArgument(f"The chat template of this model says: {refusal}") from None
        except SecurityError as failure:
            raise InvalidModel(f"The chat template of this model was stopped: {failure}.") from None
        except (TemplateError, TypeError, ValueError, KeyError, AttributeError, RecursionError,
                ArithmeticError, LookupError, MemoryError, NotImplementedError) as failure:  # fmt: skip
            raise InvalidModel(
                f"The chat template of this model is broken: {type(failure).__name__}."
            ) from None
        except _TooSlow:
            raise InvalidModel("The chat template of this model takes too long.") from None


class _Refusal(Exception):
    """The template itself raised: it does not take these messages."""


class _TooSlow(BaseException):
    """Out of time; no template can catch it."""


def _environment() -> ImmutableSandboxedEnvironment:
    environment = _Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, GenerationTag])

    def raise_exception(message: str) -> None:
        raise _Refusal(str(message)[:200])

    def strftime_now(form: str) -> str:
        return datetime.datetime.now().astimezone().strftime(str(form)[:100])

    environment.filters["tojson"] = as_json
    environment.globals.update(raise_exception=raise_exception, strftime_now=strftime_now)
    return environment


def _without_system(turns: Sequence[Turn]) -> list[Turn]:
    """Put the system's words in front of the first user turn, for models that know no system."""
    system = "\n\n".join(t.content for t in turns if t.role == "system")
    rest = [t for t in turns if t.role != "system"]
    if not system or not rest:
        return list(turns)
    return [Turn(rest[0].role, f"{system}\n\n{rest[0].content}"), *rest[1:]]


@contextlib.contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Interrupt Python code in the main thread; elsewhere (Windows) the supervisor's limits hold."""
    usable = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if not usable:
        yield
        return

    def stop(_signal: int, _frame: object) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
