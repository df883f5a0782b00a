import { describe, expect, it } from 'vitest';

import { Job } from '../../src/commands/job';
import type { CellCommand } from '../../src/commands/names';
import { Privacy } from '../../src/commands/privacy';
import { FakeWebSocket, openChannel, settle } from '../fakes';
import { done } from '../shared/answers/samples';
import { FakeNotebook } from '../shared/notebook/fakeNotebook';

function begun(command: CellCommand = 'improve') {
  const notebook = new FakeNotebook('x = 1\ny = 2', 'z');
  const job = new Job(openChannel(), command, notebook.panel, notebook.cell(0), new Privacy());
  job.start();
  return { notebook, job };
}

function frame(payload: { type: string }): void {
  const { id } = FakeWebSocket.last.request('generate');
  FakeWebSocket.last.receive({ id, event: payload.type, payload });
}

function answered(text: string): void {
  frame({ type: 'started', run: 'r1' } as never);
  frame(done('r1', text));
}

function canceled(): unknown[] {
  return FakeWebSocket.last.sent
    .filter(({ op }) => op === 'llm:cancel')
    .map(({ payload }) => payload.id);
}

describe('a command whose cell goes', () => {
  it('leaves it without an error, and ends what runs', () => {
    const { notebook, job } = begun();
    frame({ type: 'started', run: 'r1' } as never);
    notebook.remove(0);
    job.dispose();
    expect(canceled()).toEqual(['r1']);
    expect(job.insertBelow()).toBeNull();
    expect(notebook.sources).toEqual(['z']);
  });

  it('ends what the server names only afterwards', () => {
    const { notebook, job } = begun();
    notebook.remove(0);
    job.dispose();
    expect(canceled()).toEqual([]);
    frame({ type: 'started', run: 'r1' } as never);
    expect(canceled()).toEqual(['r1']);
  });

  it.each(['improve', 'explain'] as const)('is not asked again: %s', command => {
    const { notebook, job } = begun(command);
    answered('x = 3');
    notebook.remove(0);
    expect(job.start()).toBe('gone');
    expect(job.proposal?.accept() ?? false).toBe(false);
    expect(job.insertBelow()?.reason).toBe('gone');
  });
});

describe('a command on a cell that changes', () => {
  it('is stopped by a split, and by a restart of the kernel', async () => {
    for (const command of ['improve', 'explain'] as const) {
      const { notebook, job } = begun(command);
      frame({ type: 'started', run: 'r1' } as never);
      notebook.shared.transact(() => {
        notebook.shared.insertCell(0, { cell_type: 'code', source: 'x = 1' });
        job.writer.shared.setSource('y = 2');
      });
      await settle();
      expect([job.cause, canceled()]).toEqual(['split', ['r1']]);
    }
    const { notebook, job } = begun('explain');
    frame({ type: 'started', run: 'r1' } as never);
    (notebook.panel.sessionContext.statusChanged as never as { emit(status: string): void }).emit(
      'restarting'
    );
    expect([job.cause, canceled()]).toEqual(['kernel', ['r1']]);
  });

  it('of text goes on while its cell is written in', async () => {
    const { job } = begun('explain');
    frame({ type: 'started', run: 'r1' } as never);
    job.writer.shared.setSource('x = 1\ny = 22');
    await settle();
    expect([job.cause, canceled()]).toEqual([null, []]);
  });

  it('is compared with what is there, and written over nothing else', () => {
    const { job } = begun();
    answered('x = 3\ny = 2');
    expect([job.isReady, job.canCompare]).toEqual([true, false]);
    job.writer.shared.setSource('x = 1\ny = 22');
    expect([job.proposal?.state, job.canCompare]).toEqual(['stale', true]);
    job.compare();
    expect([job.proposal?.original, job.isReady]).toEqual(['x = 1\ny = 22', true]);
    job.writer.shared.setSource('x = 1\ny = 222');
    expect(job.proposal?.accept()).toBe(false);
    expect(job.writer.source).toBe('x = 1\ny = 222');
  });

  it('is not ready while the cell is locked', () => {
    const { job } = begun();
    answered('x = 3\ny = 2');
    let told = 0;
    job.changed.connect(() => told++);
    job.writer.shared.setMetadata('editable', false);
    expect([job.isReady, told > 0]).toEqual([false, true]);
    expect(job.start()).toBe('locked-cell');
    job.writer.shared.deleteMetadata('editable');
    expect(job.isReady).toBe(true);
  });
});

describe('a command whose server is away', () => {
  it('keeps what came, and what was to be asked', async () => {
    const { job } = begun('explain');
    frame({ type: 'started', run: 'r1' } as never);
    frame({ type: 'delta', run: 'r1', text: 'so far' } as never);
    FakeWebSocket.last.drop();
    await settle();
    expect([job.answer.state, job.answer.text]).toEqual(['failed', 'so far']);
    expect(job.refine('shorter')).toBe('away');
    expect([job.answer.text, job.refinements]).toEqual(['so far', []]);
    job.dispose();
  });
});
