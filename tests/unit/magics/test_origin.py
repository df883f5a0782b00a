"""Where a magic was run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from jupyter_localcoder.contract.generation import Origin
from jupyter_localcoder.magics.origin import origin_of


@pytest.mark.parametrize(
    ("name", "root", "path"),
    [
        ("/srv/a/b.ipynb", "/srv", "a/b.ipynb"),
        ("/srv/a/b.ipynb", "/srv/", "a/b.ipynb"),
        ("/elsewhere/b.ipynb", "/srv", "/elsewhere/b.ipynb"),
        ("/srv-2/b.ipynb", "/srv", "/srv-2/b.ipynb"),
        ("a/b.ipynb", "/srv", "a/b.ipynb"),
        ("/srv/b.ipynb", "", "/srv/b.ipynb"),
        ("/srv/console-1-5f0c", "/srv", ""),
        ("", "/srv", ""),
    ],
)
def test_the_path_is_the_browsers(monkeypatch: pytest.MonkeyPatch, name: str, root: str, path: str):
    monkeypatch.setenv("JPY_SESSION_NAME", name)
    monkeypatch.setenv("JUPYTER_LOCALCODER_ROOT", root)
    assert origin_of(SimpleNamespace()).notebook == path  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parent", "cell"),
    [
        ({"metadata": {"cellId": "abc"}}, "abc"),
        ({"metadata": {"cellId": "x" * 300}}, "x" * 256),
        ({"metadata": {"cellId": 7}}, ""),
        ({"metadata": None}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_the_cell_is_the_one_of_the_message(parent: Any, cell: str):
    shell = SimpleNamespace(get_parent=lambda: parent)
    assert origin_of(shell).cell == cell  # type: ignore[arg-type]


def test_a_command_says_where_it_was_asked_and_its_record_does_not(notebook, client, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/private.ipynb")
    notebook.get_parent = lambda: {"metadata": {"cellId": "c1"}}
    notebook.run_cell_magic("explain", "--private", "x = 1")
    assert client.asked[-1].origin == Origin(notebook="/home/me/private.ipynb", cell="c1")
    assert client.asked[-1].private
    assert "/home/me" not in str([output["metadata"] for output in notebook.display_pub.outputs])


def test_in_a_terminal_there_is_no_origin(shell, client):
    shell.run_cell_magic("explain", "", "x = 1")
    assert client.asked[-1].origin == Origin()


@pytest.mark.parametrize(
    ("file", "kernel"),
    [
        ("/run/user/0/jupyter/kernel-1b4e28ba-2fa1.json", "1b4e28ba-2fa1"),
        ("kernel-7.json", "7"),
        ("/tmp/connection.json", ""),
        (None, ""),
    ],
)
def test_the_kernel_is_the_one_of_its_connection_file(file: Any, kernel: str):
    shell = SimpleNamespace(kernel=SimpleNamespace(parent=SimpleNamespace(connection_file=file)))
    assert origin_of(shell).kernel == kernel  # type: ignore[arg-type]
