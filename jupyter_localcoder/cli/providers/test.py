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
    description = """Test the connection to a provider by listing its models, which costs nothing:
    whether it is reachable, accepts the key, and how long it takes. For the embedded provider, the
    command checks whether a model is installed, without loading it."""
    arguments = (1, 1)

    def run(self) -> ExitCode:
        """Ask it, and print what it says."""
        request = codec.decode(providers.ProviderIdRequest, {"id": self.extra_args[0]})
        with self.client() as client:
            tested: providers.ProviderTested = client.call(registry.PROVIDER_TEST, request)
        self.console.document(tested)
        self.console.out(f"{tested.id} responded in {tested.latency_ms:.0f} ms.")
        shown = [plain(name) for name in tested.models[:_SHOWN]]
        if shown:
            more = len(tested.models) - len(shown)
            self.console.out("Models: " + ", ".join(shown) + (f", and {more} more." if more else "."))
        if tested.model_listed is False:
            self.note("The configured model is not among them.")
        return ExitCode.OK
