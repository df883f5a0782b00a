"""How many lines of real notebooks a completion meets, with and without what it knows of the notebook.

Lines are held back (see `held_back`), and asked for at their start and in their middle: with the cell alone,
with the notebook around it, and with what the kernel would know besides (guessed: see `static_kernel`). An
answer is right where its first line is the one that was held back, up to white space and quotes. The service
runs in this process with its own budget for this machine; nothing is withheld while it is asked. What would
be shown, and how sure the model must be for it, is measured by `gate`.
`--repeat` sets the lines of each notebook; `--peer-url` has a `llama-server` asked the same lines by
`/infill`, with the code of the cells above as its prefix.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import httpx
import msgspec
from traitlets.config import Config

from jupyter_localcoder.client.base import Client
from jupyter_localcoder.client.local import LocalClient
from jupyter_localcoder.contract.generation import CompleteRequest, Done
from jupyter_localcoder.contract.notebook import NotebookContext
from jupyter_localcoder.contract.registry import TAB_COMPLETE
from jupyter_localcoder.errors import InvalidArgument

from . import held_back, static_kernel
from .figure import Figure
from .held_back import Request, Where
from .setting import Setting

_LINES = 25
"""Of each notebook."""
_MOST_TOKENS = 64
_PEER_PREFIX_CHARS, _PEER_SUFFIX_CHARS = 4800, 600


@dataclass(frozen=True)
class _Asked:
    where: Where
    right: bool
    milliseconds: float
    prompt_tokens: int


def run(setting: Setting) -> Iterator[Figure]:
    """Measure; without a folder of notebooks there is nothing to measure."""
    if setting.traces is None:
        print("notebook   | left out: it needs --traces FOLDER, with notebooks in it", file=sys.stderr)
        return
    requests = _requests(setting.traces, setting.times(_LINES))
    peer = _ask_peer(setting.peer_url, requests) if setting.peer_url else []
    with LocalClient(_config(setting)) as client:
        for name, around in _VARIANTS.items():
            asked = [_ask(client, setting, name, at, where, around(at)) for where, at in requests]
            yield from _exact(name, asked, peer)


def _alone(_request: Request) -> NotebookContext:
    return NotebookContext()


def _around(request: Request) -> NotebookContext:
    return request.notebook()


def _with_kernel(request: Request) -> NotebookContext:
    return msgspec.structs.replace(request.notebook(), variables=static_kernel.variables(request))


_VARIANTS: dict[str, Callable[[Request], NotebookContext]] = {
    "cell alone": _alone,
    "notebook": _around,
    "notebook and kernel": _with_kernel,
}


def _requests(folder: Path, count: int) -> list[tuple[Where, Request]]:
    paths = sorted(folder.glob("*.ipynb"))
    if not paths:
        raise InvalidArgument(f"There is no notebook in {folder}.")
    found: list[tuple[Where, Request]] = []
    for path in paths:
        cells = held_back.read(path)
        for cell, line in held_back.lines(cells, count):
            found += [(where, held_back.request(cells, cell, line, where)) for where in get_args(Where)]
    return found


def _config(setting: Setting) -> Config:
    folder = setting.workspace.folder
    return Config(
        {
            "LocalCoderSettings": {"settings_dir": str(folder / "notebook")},
            "ModelStore": {"models_dir": str(folder / "models")},
            "Service": {"completion_checks": "off"},
        }
    )


def _ask(
    client: Client, setting: Setting, variant: str, request: Request, where: Where, notebook: NotebookContext
) -> _Asked:
    asked = CompleteRequest(
        prefix=request.prefix,
        suffix=request.suffix,
        notebook=notebook,
        multiline=False,
        max_tokens=_MOST_TOKENS,
        model=setting.workspace.model.id,
        scope=variant,
    )
    with client.stream(TAB_COMPLETE, asked) as frames:
        done = next(frame for frame in frames if isinstance(frame, Done))
    return _Asked(
        where,
        held_back.same(done.text, request.expect),
        done.timings.total_ms,
        done.usage.prompt_tokens,
    )


def _ask_peer(url: str, requests: list[tuple[Where, Request]]) -> list[_Asked]:
    asked: list[_Asked] = []
    with httpx.Client(base_url=url, timeout=600.0, trust_env=False) as client:
        for where, request in requests:
            code = [cell.source if cell.kind == "code" else "" for cell in request.cells]
            above = [*filter(None, code[: request.active]), request.prefix]
            below = [request.suffix, *filter(None, code[request.active + 1 : request.active + 3])]
            body = {
                "input_prefix": "\n\n".join(above)[-_PEER_PREFIX_CHARS:],
                "input_suffix": "\n\n".join(below)[:_PEER_SUFFIX_CHARS],
                "prompt": "",
                "n_predict": _MOST_TOKENS,
                "temperature": 0,
                "samplers": ["top_k"],
                "top_k": 1,
                "stop": ["\n"],
                "cache_prompt": True,
            }
            answer = client.post("/infill", json=body).raise_for_status().json()
            timings = answer["timings"]
            took = timings["prompt_ms"] + timings["predicted_ms"]
            right = held_back.same(answer["content"], request.expect)
            asked.append(_Asked(where, right, took, timings["prompt_n"]))
    return asked


def _exact(variant: str, asked: list[_Asked], peer: list[_Asked]) -> Iterator[Figure]:
    for where in get_args(Where):
        ours = [one for one in asked if one.where == where]
        theirs = [one for one in peer if one.where == where]
        yield Figure(
            bench="notebook",
            name=f"exact lines, {where}, {variant}",
            unit="share",
            ours=[_share(ours)],
            peer=[_share(theirs)] if theirs else (),
            peer_name="llama-server /infill" if theirs else "",
            compare="difference" if theirs else "none",
            note=f"{sum(one.right for one in ours)} of {len(ours)}",
        )
    yield Figure(
        bench="notebook",
        name=f"whole request, {variant}",
        unit="ms",
        ours=[one.milliseconds for one in asked],
        note=f"prompts of {max(one.prompt_tokens for one in asked)} tokens at most; each line in a new place",
    )


def _share(asked: list[_Asked]) -> float:
    return sum(one.right for one in asked) / len(asked)
