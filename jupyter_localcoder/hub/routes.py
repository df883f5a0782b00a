"""The routes of the service. Only this module and `app` import JupyterHub."""

from __future__ import annotations

from typing import Any

from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated

from .admin_page import AdminPage
from .handlers import (
    AbsentHandler,
    ChatHandler,
    CompletionHandler,
    HealthHandler,
    MetricsHandler,
    ModelsHandler,
    PolicyHandler,
)
from .site import Site


def routes(site: Site, prefix: str) -> list[Any]:
    """All routes below a prefix, which begins and ends with a slash."""
    shared = {"site": site}
    # JupyterHub's mixin signs a browser in; its methods come first.
    page = type("SignedInAdminPage", (HubOAuthenticated, AdminPage), {})
    return [
        (f"{prefix}oauth_callback", HubOAuthCallbackHandler),
        (f"{prefix}health", HealthHandler, shared),
        (f"{prefix}policy", PolicyHandler, shared),
        (f"{prefix}metrics", MetricsHandler, shared),
        (f"{prefix}v1/models", ModelsHandler, shared),
        (f"{prefix}v1/chat/completions", ChatHandler, shared),
        (f"{prefix}v1/completions", CompletionHandler, shared),
        (prefix, page, shared),
        (r".*", AbsentHandler, shared),
    ]
