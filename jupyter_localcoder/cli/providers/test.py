"""``providers test ID``: see whether a provider answers."""

from __future__ import annotations

from ...contract import codec, providers, registry
from ...text.plain_text import plain
from ..command import LocalCoderCommand
from ..exits import ExitCode

_SHOWN = 20


class ProvidersTest(LocalCoderCommand):
    """See whether a provider answers."""

    usage = "providers test ID [options]"
    description = """Ask a provider for the list of its models, which costs nothing: whether it can be
    reached, takes the key, and how long that took. Of the embedded one: whether a
    model is there; it is not loaded."""
    arguments = (1, 1)

    def run(self) -> ExitCode:
        """Ask it, and print what it says."""
        request = codec.decode(providers.ProviderIdRequest, {"id": self.extra_args[0]})
        with self.client() as client:
            tested: providers.ProviderTested = client.call(registry.PROVIDER_TEST, request)
        self.console.document(tested)
        self.console.out(f"{tested.id} answers, within {tested.latency_ms:.0f} ms.")
        shown = [plain(name) for name in tested.models[:_SHOWN]]
        if shown:
            more = len(tested.models) - len(shown)
            self.console.out("Models: " + ", ".join(shown) + (f", and {more} more." if more else "."))
        if tested.model_listed is False:
            self.note("The model that is configured is not among them.")
        return ExitCode.OK
