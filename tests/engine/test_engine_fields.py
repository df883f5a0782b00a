"""Fields of llama.cpp's structs are set, or the version that lacks them is refused.

In a process of its own: this one does not load llama.cpp.
"""

from __future__ import annotations

import subprocess
import sys

_BEGIN = """
import llama_cpp.llama_cpp as native
from jupyter_localcoder.errors import UnknownError
from jupyter_localcoder.worker.engine import set_fields

params = native.llama_context_default_params()
params.n_ctx = 1
"""


def printed(code: str) -> str:
    ended = subprocess.run([sys.executable, "-c", _BEGIN + code], capture_output=True, text=True, check=True)
    return ended.stdout.strip()


def test_fields_are_set() -> None:
    code = "set_fields(params, n_ctx=77, kv_unified=True); print(params.n_ctx, params.kv_unified)"
    assert printed(code) == "77 True"


def test_a_field_that_the_struct_does_not_have_is_an_error_and_sets_nothing() -> None:
    code = """
try:
    set_fields(params, n_ctx=77, gone=1)
except UnknownError as error:
    print(error.message, params.n_ctx)
"""
    assert printed(code).endswith(" is not supported: `llama_context_params` has no field `gone`. 1")
