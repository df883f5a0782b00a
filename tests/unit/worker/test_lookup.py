"""Drafts from the prompt: found where the text repeats itself, and only where they pay."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.worker.costs import SIZES, StepCosts
from jupyter_localcoder.worker.lookup import DraftPolicy, PromptLookup

CPU = {1: 0.035, 2: 0.051, 4: 0.088, 8: 0.146, 16: 0.187, 32: 0.323}
GPU = {1: 0.010, 8: 0.011, 32: 0.013}


def test_what_followed_before_follows_again() -> None:
    assert PromptLookup([1, 2, 3, 4, 5, 9, 1, 2]).find(3) == ([3, 4, 5], 2)


def test_the_longest_agreement_wins_over_the_latest() -> None:
    assert PromptLookup([7, 1, 2, 50, 1, 2, 60, 7, 1, 2]).find(1) == ([50], 3)


def test_nothing_is_found_where_nothing_repeats() -> None:
    assert PromptLookup([1, 2, 3]).find(5) == ([], 0)
    assert PromptLookup([1]).find(5) == ([], 0)


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(1, 10))
def test_a_draft_is_a_piece_of_the_text_after_the_same_tokens(text: list[int], most: int) -> None:
    draft, length = PromptLookup(text).find(most)
    if length:
        ends = [
            i
            for i in range(length, len(text))
            if text[i - length : i] == text[-length:] and text[i : i + most] == draft
        ]
        assert ends
        assert 0 < len(draft) <= most


@given(st.lists(st.integers(0, 3), max_size=40), st.lists(st.integers(0, 3), max_size=40))
def test_it_makes_no_difference_when_the_tokens_come(a: list[int], b: list[int]) -> None:
    one = PromptLookup([*a, *b])
    two = PromptLookup(a)
    for token in b:
        two.extend([token])
    assert one.find(5) == two.find(5)


def test_a_copy_in_progress_is_drafted_long_and_a_doubtful_one_not_at_all() -> None:
    policy = DraftPolicy(StepCosts(CPU), chances=[0.1, 0.3, 0.8, 0.97, 0.97, 0.9], shy=False)
    assert policy.size(2) == 0
    assert policy.size(20) >= 8


def test_a_short_match_is_drafted_longer_the_surer_a_long_one_is() -> None:
    doubtful, sure = (
        DraftPolicy(StepCosts(CPU), chances=[0.7, 0.8, 0.85, c, c, 0.9], shy=False) for c in (0.5, 0.99)
    )
    assert doubtful.size(5) < sure.size(5)


def test_each_token_of_a_draft_says_something_of_the_match_before_it() -> None:
    policy = DraftPolicy(StepCosts(CPU), chances=[0.5] * 6)
    policy.learn(8, 4, 3, 0.0)
    assert policy.chances[2] > 0.5  # after 8 and 9
    assert policy.chances[3] < 0.5  # after 10 once right, after 11 wrong
    assert policy.chances[4] == 0.5


def test_batches_with_drafts_are_of_measured_sizes() -> None:
    for chance in (0.5, 0.7, 0.9, 0.99):
        policy = DraftPolicy(StepCosts(CPU), chances=[chance] * 6)
        for base in (1, 2, 5):
            size = policy.size(12, base)
            assert size == 0 or base + size in SIZES


def test_where_a_step_of_many_costs_as_much_as_one_drafts_are_long() -> None:
    assert DraftPolicy(StepCosts(GPU)).size(4) > DraftPolicy(StepCosts(CPU)).size(4)


def test_it_switches_itself_off_where_drafts_are_refused() -> None:
    policy = DraftPolicy(StepCosts(CPU), chances=[0.95] * 6)
    sizes = []
    for _ in range(60):
        size = policy.size(12)
        sizes.append(size)
        if size:
            policy.learn(12, size, 0, StepCosts(CPU).seconds(size + 1) - StepCosts(CPU).seconds(1))
    assert sizes[0] > 0
    assert sizes.count(0) >= 40
    assert max(sizes[1:]) <= 3


def test_drafts_grow_while_they_are_accepted_and_shrink_when_they_are_not() -> None:
    policy = DraftPolicy(StepCosts(CPU), chances=[0.98] * 6)
    sizes = []
    for accepted in (1.0, 1.0, 1.0, 0.2, 1.0, 1.0):
        sizes.append(policy.size(24))
        policy.learn(24, sizes[-1], round(sizes[-1] * accepted), 0.0)
    assert sizes[0] < sizes[1] < sizes[2] == 31
    assert sizes[3] == 31 > sizes[4]
    assert sizes[5] > sizes[4]
    policy.begin()
    assert policy.size(24) == sizes[0]


def test_another_answer_begins_without_the_pauses_of_the_one_before() -> None:
    policy = DraftPolicy(StepCosts(CPU), chances=[0.95] * 6)
    while policy.pause == 0:
        size = policy.size(12)
        policy.learn(12, size, 0, StepCosts(CPU).seconds(size + 1) - StepCosts(CPU).seconds(1))
    assert policy.size(100) == 0
    policy.begin()
    assert policy.size(100) > 0


def test_it_comes_back_when_they_are_accepted_again() -> None:
    policy = DraftPolicy(StepCosts(CPU))
    for _ in range(30):
        size = policy.size(12)
        if size:
            policy.learn(12, size, size, StepCosts(CPU).seconds(size + 1) - StepCosts(CPU).seconds(1))
    assert policy.chances[3] > 0.95
    assert policy.size(12) >= 8


def test_it_switches_itself_off_where_drafts_end_at_close_calls() -> None:
    """Each costs a step: it is computed again by itself."""
    policy = DraftPolicy(StepCosts(CPU), chances=[0.95] * 6)
    sizes = []
    for _ in range(60):
        size = policy.size(12)
        sizes.append(size)
        if size:
            extra = StepCosts(CPU).seconds(size + 1) - StepCosts(CPU).seconds(1)
            policy.learn(12, size, 0, extra, close=1)
    assert sizes[0] > 0
    assert sizes.count(0) >= 50


def test_frequent_close_calls_make_drafts_shorter() -> None:
    calm, doubtful = (DraftPolicy(StepCosts(CPU), chances=[0.8] * 6, close=share) for share in (0.0, 0.9))
    assert 0 <= doubtful.size(12) < calm.size(12)


def test_costs_between_the_measured_sizes_lie_between() -> None:
    costs = StepCosts(CPU)
    assert costs.seconds(1) < costs.seconds(3) < costs.seconds(8) < costs.seconds(300)
    assert costs.largest_within(0.2) >= 16
    assert costs.largest_within(0.0) == 1
    assert set(costs.table) == set(SIZES)


def test_costs_follow_what_is_seen_and_not_an_outlier() -> None:
    costs = StepCosts(CPU)
    for _ in range(60):
        costs.observe(1, 0.07)
    assert 0.065 < costs.seconds(1) < 0.075
    costs.observe(1, 5.0)
    assert costs.seconds(1) < 0.08
