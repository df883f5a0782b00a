"""axe-core, put into the page: what it finds that keeps somebody out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
_SERIOUS = ("serious", "critical")

_RUN = """async selector => {
  const found = await axe.run(selector, { resultTypes: ['violations'] });
  return found.violations.map(({ id, impact, help, nodes }) => ({
    id, impact, help, nodes: nodes.map(node => node.html + ' -- ' + node.failureSummary)
  }));
}"""


def violations(page: Any, selector: str) -> list[str]:
    """The serious violations of what a selector names, one line each."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate(_RUN, selector)
    return [
        f"{one['impact']} {one['id']}: {one['help']}\n" + "\n".join(one["nodes"])
        for one in found
        if one["impact"] in _SERIOUS
    ]
