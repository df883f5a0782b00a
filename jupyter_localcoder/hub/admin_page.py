"""A page for administrators: counts by day, the queue, the models. Plain HTML, without scripts."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Iterable, Sequence

from ..errors import AuthError, LocalCoderError
from .fair_queue import FairQueue, Rank
from .handlers import HubHandler
from .usage import UseOfDay

DAYS = 30
_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>LocalCoder: use</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem;
  color: #1b1b1b; background: #fff; }
table { border-collapse: collapse; margin: 1rem 0; }
caption { text-align: start; font-weight: bold; }
th, td { border: 1px solid #767676; padding: .25rem .75rem; text-align: start; }
td.number { text-align: end; font-variant-numeric: tabular-nums; }
</style>
</head>
<body>
<main>
<h1>LocalCoder: use</h1>
"""
_FOOT = "</main>\n</body>\n</html>\n"


class AdminPage(HubHandler):
    """`GET /`: signs a browser in with the hub, and shows the page to administrators."""

    async def get(self) -> None:
        """Show the page."""

        async def work() -> None:
            person = await self.site.identities.of(self, cookie=True)
            if person is None:
                self.redirect(self.get_login_url())
                return
            if not self.site.is_admin(person):
                raise AuthError(
                    "This page is for administrators.",
                    recovery="Ask an administrator of the hub to add you to a group of "
                    "`HubService.admin_groups`.",
                )
            groups = await asyncio.to_thread(self.site.usage.days, "group", DAYS)
            users = await asyncio.to_thread(self.site.usage.days, "user", DAYS)
            try:
                models: Sequence[str] = [each["id"] for each in (await self.site.requests.models())["data"]]
                problem = ""
            except LocalCoderError as failure:
                models, problem = [], failure.message
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.finish(page(self.site.requests.queue, models, problem, groups, by_day(users)))

        await self.cancelled_with_client(work)


def by_day(rows: Iterable[UseOfDay]) -> list[UseOfDay]:
    """The sum of all users for each day and model."""
    sums: dict[tuple[str, str], UseOfDay] = {}
    for row in rows:
        found = sums.get((row.day, row.model))
        counts = row.counts if found is None else found.counts.plus(row.counts)
        sums[row.day, row.model] = UseOfDay(row.day, "all users", row.model, counts)
    return list(sums.values())


def page(
    queue: FairQueue,
    models: Sequence[str],
    problem: str,
    groups: Sequence[UseOfDay],
    users: Sequence[UseOfDay],
) -> str:
    """The page as HTML."""
    waiting: list[list[str | int]] = [[rank.name.lower(), queue.waiting(rank)] for rank in Rank]
    listed = "".join(f"<li><code>{html.escape(name)}</code></li>\n" for name in models)
    parts = [
        _HEAD,
        f"<p>{queue.running} requests run now.</p>\n",
        _table("Requests that wait", ("Rank", "Requests"), waiting),
        "<h2>Models</h2>\n",
        f'<p role="alert">{html.escape(problem)}</p>\n' if problem else f"<ul>\n{listed}</ul>\n",
        f"<h2>Use in the last {DAYS} days</h2>\n",
        _use("By day", users),
        _use("By day and group. A user of several groups is counted in each.", groups),
        _FOOT,
    ]
    return "".join(parts)


def _use(caption: str, rows: Sequence[UseOfDay]) -> str:
    if not rows:
        return f"<p>{html.escape(caption)} There are no requests yet.</p>\n"
    columns = ("Day", "Who", "Model", "Requests", "Refused", "Failed", "Prompt tokens", "Answer tokens")
    cells: list[list[str | int]] = [
        [
            row.day,
            row.who.removeprefix("group:"),
            row.model or "none",
            row.counts.requests,
            row.counts.refused,
            row.counts.failed,
            row.counts.prompt_tokens,
            row.counts.completion_tokens,
        ]
        for row in rows
    ]
    return _table(caption, columns, cells)


def _table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str | int]]) -> str:
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in columns)
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>\n" for row in rows)
    return (
        f"<table>\n<caption>{html.escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}</tbody>\n</table>\n"
    )


def _cell(value: str | int) -> str:
    if isinstance(value, int):
        return f'<td class="number">{value:,}</td>'
    return f"<td>{html.escape(value)}</td>"
