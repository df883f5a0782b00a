import { describe, expect, it } from 'vitest';

import { type ICellText, Proposal } from '../../src/commands/proposal';
import type { IRefusal } from '../../src/shared/notebook/cellWriter';

class Cell implements ICellText {
  source = 'a\nb';
  readonly writes: string[] = [];
  lock: IRefusal | null = null;
  refusal(): IRefusal | null {
    return this.lock;
  }
  write(_: string, source: string): IRefusal | null {
    if (!this.lock) {
      this.source = source;
      this.writes.push(source);
    }
    return this.lock;
  }
}

function made(suggested = 'A\nB'): { cell: Cell; proposal: Proposal } {
  const cell = new Cell();
  const proposal = new Proposal(cell);
  proposal.suggest(suggested);
  return { cell, proposal };
}

describe('a proposal', () => {
  it('is written once, when it is accepted', () => {
    const { cell, proposal } = made();
    expect(cell.writes).toEqual([]);
    expect(proposal.accept()).toBe(true);
    expect(cell.writes).toEqual(['A\nB']);
    expect(proposal.state).toBe('accepted');
    expect(proposal.accept()).toBe(false);
    expect(cell.writes).toHaveLength(1);
  });

  it('leaves the cell as it is when it is rejected', () => {
    const { cell, proposal } = made();
    proposal.reject();
    expect(proposal.state).toBe('rejected');
    expect(proposal.accept()).toBe(false);
    expect(cell.writes).toEqual([]);
  });

  it('is over when its last hunk is', () => {
    const { cell, proposal } = made();
    let told = 0;
    proposal.changed.connect(() => {
      told++;
    });
    proposal.acceptHunk('A\nb');
    expect([proposal.state, told]).toEqual(['open', 1]);
    proposal.rejectHunk('A\nb');
    expect(proposal.state).toBe('accepted');
    expect(cell.source).toBe('A\nb');
  });

  it('is rejected when all of its hunks are', () => {
    const { cell, proposal } = made();
    proposal.rejectHunk('A\nb');
    proposal.rejectHunk('a\nb');
    expect(proposal.state).toBe('rejected');
    expect(cell.writes).toEqual([]);
  });

  it('never overwrites what was typed in the meantime', () => {
    const { cell, proposal } = made();
    cell.source = 'a\nb\nc';
    expect(proposal.accept()).toBe(false);
    expect(proposal.state).toBe('stale');
    expect(cell.source).toBe('a\nb\nc');
    cell.source = 'a\nb';
    expect(proposal.accept()).toBe(false);
  });

  it('is kept, and said to be so, while the cell is locked', () => {
    const { cell, proposal } = made();
    const told: unknown[] = [];
    proposal.changed.connect(() => {
      told.push(proposal.refusal?.reason);
    });
    cell.lock = { reason: 'locked-cell', sentence: '' };
    proposal.check();
    proposal.check();
    expect(told).toEqual(['locked-cell']);
    expect(proposal.acceptHunk('A\nb')).toBe(false);
    expect([proposal.state, proposal.original, proposal.suggested]).toEqual([
      'open',
      'a\nb',
      'A\nB'
    ]);
    expect(cell.writes).toEqual([]);
    cell.lock = null;
    proposal.check();
    expect(told.at(-1)).toBeUndefined();
    expect(proposal.accept()).toBe(true);
    expect(cell.source).toBe('A\nB');
  });

  it('is left as it was where the cell is locked in the moment of the write', () => {
    const { cell, proposal } = made();
    cell.write = () => ({ reason: 'locked-cell', sentence: '' });
    let told = 0;
    proposal.changed.connect(() => {
      told++;
    });
    expect(proposal.accept()).toBe(false);
    expect([proposal.state, proposal.original, told]).toEqual(['open', 'a\nb', 1]);
  });

  it('can be compared with what somebody else wrote', () => {
    const { cell, proposal } = made();
    expect(proposal.canRenew).toBe(false);
    cell.source = 'mine\nb';
    proposal.check();
    expect(proposal.canRenew).toBe(true);
    const renewed = proposal.renewed();
    expect([renewed.state, renewed.original, renewed.suggested]).toEqual([
      'open',
      'mine\nb',
      'A\nB'
    ]);
    expect(cell.writes).toEqual([]);
    cell.source = 'A\nB';
    expect(proposal.canRenew).toBe(false);
  });

  it('knows of a change between two hunks', () => {
    const { cell, proposal } = made();
    proposal.acceptHunk('A\nb');
    cell.source = 'a\nb';
    expect(proposal.acceptHunk('A\nB')).toBe(false);
    expect(cell.source).toBe('a\nb');
  });
});
