"""What is drafted for a task, from which source, and what each source learns from the result.

A draft comes from the prompt (`lookup`), from the previous completion of the same scope, or from a small
model (`draft`).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..contract.wire import FillPrompt
from .batch_slice import BatchSlice
from .cache import SLOTS
from .costs import StepCosts
from .draft import Drafter
from .lookup import BREAK, CONTINUED, DraftPolicy, PreviousCompletion, PromptLookup
from .model import Aborted
from .prompting import TokenizedPrompt
from .task import CancelableRequest, Task

if TYPE_CHECKING:
    from .engine import Engine


class Drafting:
    """Drafts the next tokens of all tasks of a model.

    Parameters
    ----------
    drafter
        The small model, if there is one.
    """

    def __init__(self, engine: Engine, costs: StepCosts, drafter: Drafter | None) -> None:
        self.drafter = drafter
        self._engine = engine
        self._costs = costs
        self._policy = DraftPolicy(costs)
        # Completions are short and seldom copies; and what is left of the one before is another matter.
        self._fill_policy = DraftPolicy(costs, chances=[0.2, 0.3, 0.5, 0.7, 0.8, 0.9])
        self._continued = DraftPolicy(costs, shy=False)
        self._previous: dict[str, PreviousCompletion] = {}
        """The last completion of each scope."""

    def sources(self, job: CancelableRequest, prompt: TokenizedPrompt) -> tuple[PromptLookup, DraftPolicy]:
        """What a request drafts from: its prompt; and a completion also from the one before it."""
        fill, scope = job.request.prompt, job.request.scope
        if not isinstance(fill, FillPrompt):
            return PromptLookup(prompt.tokens), self._policy
        previous = self._previous.get(scope)
        if previous is None:
            return PromptLookup(prompt.tokens), self._fill_policy
        rest = previous.rest(fill.prefix)
        guess = self._engine.tokenize(rest) if rest else []
        if guess and self._engine.is_end(previous.tokens[-1]):
            guess.append(previous.tokens[-1])
        return PromptLookup([*previous.tokens, BREAK, *prompt.tokens], guess), self._fill_policy

    def add_lookup(self, batch_slice: BatchSlice, room: int) -> None:
        """Add a draft from the prompt, as long as it pays beside the tokens of the slice."""
        task = batch_slice.task
        if task.lookup is None or task.policy is None or task.without_draft:
            return
        _, match = task.lookup.find(1)
        policy = self._continued if match == CONTINUED else task.policy
        most = min(policy.size(match, len(batch_slice.tokens)), task.limit - task.written - 1, room)
        if most > 0:
            batch_slice.draft, batch_slice.match = task.lookup.find(most)
            batch_slice.policy = policy

    def add_from_model(self, batch_slice: BatchSlice, room: int) -> None:
        """Add a draft of the small model. The task must be alone (`can_use_model`)."""
        drafter, task = self.drafter, batch_slice.task
        if drafter is None:
            return
        most = min(drafter.policy.size(CONTINUED), task.limit - task.written - 1, room)
        if most <= 0:
            return
        start = time.monotonic()
        with contextlib.suppress(Aborted):
            batch_slice.draft = drafter.guess([*task.sequence.tokens, task.next_token], most)
            batch_slice.match, batch_slice.policy = CONTINUED, drafter.policy
        batch_slice.draft_seconds = time.monotonic() - start
        if batch_slice.draft:
            drafter.policy.draft_seconds += 0.1 * (
                batch_slice.draft_seconds / len(batch_slice.draft) - drafter.policy.draft_seconds
            )

    def can_use_model(self, task: Task, tasks: Sequence[Task]) -> bool:
        """Whether the small model may work for a task: a command or a chat, and no other goes before it."""
        if self.drafter is None or not self._engine.can_take_back or task.rank != 1 or task.exclusive:
            return False
        return not any(other is not task and other.rank <= task.rank for other in tasks)

    def follow(self, batch_slice: BatchSlice) -> None:
        """Let the small model read what the large one has read, so that it can draft the answer."""
        drafter, task = self.drafter, batch_slice.task
        if drafter is not None and task.reading and drafter.policy.pause == 0:
            with contextlib.suppress(Aborted):  # what the large one has read stays
                drafter.follow([*task.sequence.tokens, *batch_slice.tokens])

    def lesson(self, batch_slice: BatchSlice, batch_tokens: int) -> Callable[[int, int], None]:
        """Make the function by which the source of a draft learns how many tokens were accepted.

        Parameters
        ----------
        batch_tokens
            Tokens of the batch that verified it.
        """
        policy, match, drafted = batch_slice.policy, batch_slice.match, len(batch_slice.draft)
        # What it costs as a rule: a hiccup of the machine is not the draft's fault.
        plain = self._costs.seconds(batch_tokens - drafted)
        extra = self._costs.seconds(batch_tokens) - plain + batch_slice.draft_seconds

        def learn(accepted: int, close: int) -> None:
            if policy is not None:
                policy.learn(match, drafted, accepted, extra, close)

        return learn

    def remember(self, task: Task) -> None:
        """Keep a completion: the next one of its scope is likely to be the rest of it."""
        fill, scope = task.job.request.prompt, task.job.request.scope
        if isinstance(fill, FillPrompt) and task.answer and not task.exclusive:
            self._previous.pop(scope, None)
            self._previous[scope] = PreviousCompletion(fill.prefix, task.text, task.answer)
            while len(self._previous) > SLOTS:
                del self._previous[next(iter(self._previous))]
