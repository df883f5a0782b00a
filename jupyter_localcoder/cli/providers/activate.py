"""``providers activate ID``: the provider that answers what names none."""

from __future__ import annotations

from ...contract import codec, providers, registry
from ..command import LocalCoderCommand
from ..exits import ExitCode


class ProvidersActivate(LocalCoderCommand):
    """Let a provider answer from now on."""

    usage = "providers activate ID [options]"
    description = """Activate a provider for commands, chats and queued prompts that name no
    provider. `providers activate embedded` switches back to the model on this machine."""
    arguments = (1, 1)

    def run(self) -> ExitCode:
        """Make it the active one."""
        request = codec.decode(providers.ProviderIdRequest, {"id": self.extra_args[0]})
        with self.client() as client:
            known: providers.ProviderList = client.call(registry.PROVIDER_SET_ACTIVE, request)
        self.console.document(known)
        self.console.out(f"{known.active} is the active provider.")
        problem = next((info.problem for info in known.providers if info.active), "")
        if problem:
            self.note(f"{known.active}: {problem}")
        return ExitCode.OK
