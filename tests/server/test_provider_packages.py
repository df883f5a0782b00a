"""A type of provider from an installed package, in a real server; a broken package costs a warning."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from tests.support.jupyter_server import REPOSITORY, JupyterServer
from tests.support.provider_package import install, install_documented
from tests.support.wire_server import document, ndjson, wire_server


async def test_a_package_adds_a_type_and_a_broken_one_costs_a_warning(tmp_path: Path) -> None:
    site = tmp_path / "site"
    install_documented(site)
    install(site, "broken-toy", "broken_toy", "raise SystemExit(1)", {"broken": "broken_toy:KIND"})
    install(site, "taken-toy", "taken_toy", "", {"openai": "taken_toy:KIND"})
    server = JupyterServer(tmp_path, tmp_path / "models", PYTHONPATH=f"{REPOSITORY}:{site}")

    def cli(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "jupyter_localcoder.cli", *words],
            env=server.environment,
            capture_output=True,
            text=True,
        )

    await asyncio.to_thread(server.start)
    try:
        async with wire_server() as acme:
            listed = await asyncio.to_thread(server.call, "GET", "localcoder/providers")
            (kind,) = [kind for kind in listed["kinds"] if kind["type"] == "acme"]
            assert (kind["title"], kind["key_variables"]) == ("Acme", ["ACME_API_KEY"])
            assert "broken" not in {kind["type"] for kind in listed["kinds"]}

            added = await asyncio.to_thread(
                cli, "providers", "add", "lab", "--type=acme", f"--url={acme.url}/v1", "--model=m"
            )
            assert (added.returncode, added.stdout) == (0, "lab is saved (acme, key: none).\n"), added.stderr
            refused = await asyncio.to_thread(cli, "providers", "add", "no", "--type=broken")
            assert refused.returncode != 0
            assert "there is no provider type `broken`" in refused.stderr
            assert "openai_compatible, acme" in refused.stderr

            acme.say(document(["m", "n"]))
            tested = await asyncio.to_thread(server.call, "POST", "localcoder/providers/lab/test")
            assert (tested["models"], tested["model_listed"]) == (["m", "n"], True)
            acme.say(ndjson({"token": "For"}, {"token": "ty-two"}, {"done": True}))
            asked = {"command": "prompt", "instruction": "How much?", "provider": "lab", "max_tokens": 7}
            answer = await asyncio.to_thread(server.call, "POST", "localcoder/generate", asked)
            assert (answer["text"], answer["finish"]) == ("Forty-two", "stop")
            assert acme.heard[-1].json["limit"] == 7
            assert "How much?" in acme.heard[-1].json["prompt"]
    finally:
        await asyncio.to_thread(server.stop)
    log = (tmp_path / "server.log").read_text()
    assert log.count("The provider type `broken` of broken-toy is not used: SystemExit: 1") == 1
    assert log.count("The provider type `openai` of taken-toy is not used: The name is taken") == 1
