"""What the routes share."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .identity import Identities, Person
from .metrics import Metrics
from .policies import Policies
from .requests import Requests
from .usage import UsageCounts


@dataclass(frozen=True)
class Site:
    """The parts behind the routes."""

    identities: Identities
    requests: Requests
    policies: Policies
    usage: UsageCounts
    metrics: Metrics
    admin_groups: Sequence[str]
    client_seconds: float
    """Time that a client has to take each piece of an answer."""
    log: logging.Logger | logging.LoggerAdapter[Any]

    def is_admin(self, person: Person) -> bool:
        """Whether a person may see the counts of all users."""
        return person.kind == "user" and (
            person.admin or any(group in self.admin_groups for group in person.groups)
        )
