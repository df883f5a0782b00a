"""What processes that are started here get of the environment."""

from __future__ import annotations

import re
from typing import Any

import pytest

from jupyter_localcoder.engine.process import worker_environment
from jupyter_localcoder.machine import child_environment
from jupyter_localcoder.machine.child_environment import environment_for_computing, environment_for_pip

SECRETS = (
    "NVIDIA_API_KEY", "NVIDIA_NGC_KEY", "GGML_TOKEN", "OMP_SECRET", "KMP_KEY", "GOMP_PASSWORD", "XDG_TOKEN",
    "VK_API_KEY", "LC_TELEPHONE_KEY", "CUDA_TOKEN", "PIP_TOKEN", "PIP_PASSWORD", "OPENAI_API_KEY",
    "AZURE_OPENAI_API_KEY", "GEMINI_API_KEY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "JUPYTER_TOKEN",
    "JPY_API_TOKEN", "JUPYTERHUB_API_TOKEN", "JUPYTER_LOCALCODER_TOKEN", "LOCALCODER_PROVIDER_ACME_KEY",
    "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "SSH_AUTH_SOCK", "nvidia_api_key",
)  # fmt: skip


@pytest.mark.parametrize("made", [environment_for_computing, environment_for_pip, worker_environment])
def test_no_secret_gets_through_by_its_prefix(made: Any) -> None:
    given = made({**dict.fromkeys(SECRETS, "canary"), "PATH": "/bin"})
    assert "canary" not in given.values()
    assert given["PATH"] == "/bin"


def test_what_is_needed_gets_through() -> None:
    names = ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "GGML_VK_VISIBLE_DEVICES", "LC_ALL", "XDG_CACHE_HOME")
    needed = dict.fromkeys(names, "1")
    assert environment_for_computing(needed) == needed
    found = dict.fromkeys(("PIP_INDEX_URL", "https_proxy", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE"), "1")
    assert environment_for_pip(found) == found


def test_no_list_names_a_secret() -> None:
    every = child_environment.ANY | child_environment.COMPUTES | child_environment.DOWNLOADS
    assert not [name for name in every if re.search("KEY$|TOKEN|SECRET|PASSW|CREDENTIAL|COOKIE", name)]
