"""The worker's life is the table and nothing else."""

from __future__ import annotations

from typing import get_args

import pytest

from jupyter_localcoder.contract.backend import WorkerState
from jupyter_localcoder.engine.states import TABLE, IllegalMove, WorkerStateMachine

MOVES = sorted({move for row in TABLE.values() for move in row})


def test_the_table_knows_every_state_and_leads_to_known_ones() -> None:
    states = set(get_args(WorkerState))
    assert set(TABLE) == states
    assert {after for row in TABLE.values() for after in row.values()} == states


@pytest.mark.parametrize("state", TABLE)
@pytest.mark.parametrize("move", MOVES)
def test_an_illegal_move_raises_and_changes_nothing(state: WorkerState, move: str) -> None:
    life = WorkerStateMachine(state=state, generation=4)
    if move in TABLE[state]:
        assert life.move(move) == TABLE[state][move]
    else:
        with pytest.raises(IllegalMove):
            life.move(move)
        assert (life.state, life.generation) == (state, 4)


def test_each_start_is_a_new_generation() -> None:
    life = WorkerStateMachine()
    for move in ("start", "hello", "crash", "retry", "crash"):
        life.move(move)
    assert (life.state, life.generation) == ("backoff", 2)


@pytest.mark.parametrize("state", TABLE)
def test_every_state_leads_back_to_stopped(state: WorkerState) -> None:
    reached, front = {state}, [state]
    while front:
        for after in TABLE[front.pop()].values():
            if after not in reached:
                reached.add(after)
                front.append(after)
    assert "stopped" in reached
