"""`%localcoder config`, of a service that is scripted."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.error import UsageError

from jupyter_localcoder.contract.settings import SettingsUpdateRequest, SettingsView
from jupyter_localcoder.magics import MagicFailure
from jupyter_localcoder.settings import LocalCoderSettings


@pytest.fixture
def settings(tmp_path: Any) -> LocalCoderSettings:
    return LocalCoderSettings(settings_dir=str(tmp_path), environment={"LOCALCODER_TOP_K": "7"})


@pytest.fixture
def localcoder(notebook: Any, client: Any, settings: LocalCoderSettings) -> Any:
    def update(request: SettingsUpdateRequest) -> SettingsView:
        return settings.update(request)

    client.answers |= {"settings:get": lambda _: settings.view(), "settings:update": update}
    return lambda words: notebook.run_line_magic("localcoder", words)


def test_all_are_shown_with_the_layer_that_decided(localcoder: Any, notebook: Any) -> None:
    localcoder("config")
    text = notebook.display_pub.outputs[-1]["data"]["text/plain"]
    assert "completion_max_tokens" in text
    assert "top_k" in text
    assert "environment" in text


def test_one_is_changed_and_given_back(localcoder: Any, settings: LocalCoderSettings, capsys: Any) -> None:
    localcoder("config completion_temperature 0.4")
    assert settings.current.completion_temperature == 0.4
    assert capsys.readouterr().out == "completion_temperature = 0.4 (settings)\n"
    localcoder("config completion_temperature default")
    assert capsys.readouterr().out == "completion_temperature = 0.0 (default)\n"
    localcoder("config top_k 3")
    assert "the environment of the server currently overrides it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [("config temprature 1", "Did you mean `temperature`"), ("config temperature 3", "temperature")],
)
def test_what_cannot_be_is_refused(localcoder: Any, words: str, said: str) -> None:
    with pytest.raises(MagicFailure, match=said):
        localcoder(words)


def test_half_a_change_says_how_it_is_written(localcoder: Any) -> None:
    with pytest.raises(UsageError, match="NAME VALUE"):
        localcoder("config temperature")
