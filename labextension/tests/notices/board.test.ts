import { describe, expect, it } from 'vitest';

import type { BackendState, ErrorPayload, Notice } from '../../src/contract';
import { type IShelf, NoticeBoard } from '../../src/notices/board';
import { type INoticeView, MAX_CHARACTERS, wayText } from '../../src/notices/view';
import { FakeWebSocket, openChannel, settle, trans } from '../fakes';

class Shelf implements IShelf {
  readonly views = new Map<string, INoticeView>();
  hasOpenedModels = false;

  show(view: INoticeView): void {
    this.views.set(view.key, view);
  }

  clear(key: string): void {
    this.views.delete(key);
  }

  openModels(): void {
    this.hasOpenedModels = true;
  }

  /** The only one that is shown. */
  get only(): INoticeView {
    const [view, ...more] = this.views.values();
    if (!view || more.length > 0) {
      throw new Error(`${this.views.size} are shown`);
    }
    return view;
  }
}

const notice = (some: Partial<Notice>): Notice => ({
  severity: 'warning',
  message: 'Something is so.',
  action: '',
  try_model: '',
  use_profile: '',
  code: '',
  ...some
});

const STEP_DOWN = notice({
  message: 'There was not enough memory for `big`: `small` is used instead.',
  action: `To try the larger model again, close notebooks, and load \`big\` in the sidebar${'.'.repeat(99)}`,
  try_model: 'big'
});
const SLOW = notice({ severity: 'info', message: 'Slow.', use_profile: 'Compact' });
const REFUSAL: ErrorPayload = {
  code: 'OUT_OF_MEMORY',
  message: 'It needs 9 GB.',
  recovery: 'Close notebooks.',
  details: {}
};

const state = (word: BackendState['state'], reason = ''): BackendState => ({
  state: word,
  generation: 1,
  reason,
  model: 'big',
  profile: 'Balanced',
  resident: [],
  residency: ''
});

function opened() {
  const shelf = new Shelf();
  const board = new NoticeBoard(openChannel(), shelf, trans);
  const socket = FakeWebSocket.last;
  const tell = (event: string, payload: unknown) => {
    socket.receive({ event, payload });
  };
  const take = () => {
    const { key, way } = shelf.only;
    if (!way) {
      throw new Error('it offers nothing');
    }
    return board.take(key, way);
  };
  return { shelf, socket, tell, take };
}

describe('a notice', () => {
  it('says what fits, and keeps the whole for the details', () => {
    const { shelf, tell } = opened();
    tell('notice', STEP_DOWN);
    const { message, details, severity, autoClose } = shelf.only;
    expect(message).toBe('There was not enough memory for big: small is used instead.');
    expect(details).toContain('To try the larger model again');
    expect([severity, autoClose]).toEqual(['warning', false]);
  });

  it('needs no details where everything fits', () => {
    const { shelf, tell } = opened();
    tell('notice', notice({ message: 'The disk is full.', action: 'Make room.' }));
    expect(shelf.only).toMatchObject({
      message: 'The disk is full. Make room.',
      details: '',
      way: null
    });
  });

  it('is cut before JupyterLab cuts it', () => {
    const { shelf, tell } = opened();
    const message = 'word '.repeat(50);
    tell('notice', notice({ message }));
    expect(shelf.only.message).toHaveLength(MAX_CHARACTERS);
    expect(shelf.only.details).toBe(message);
  });

  it('that comes twice is shown once', () => {
    const { shelf, tell } = opened();
    tell('notice', STEP_DOWN);
    tell('notice', { ...STEP_DOWN, message: 'There was probably not enough memory for `big`.' });
    expect(shelf.only.message).toContain('probably');
  });

  it('that only informs goes by itself', () => {
    const { shelf, tell } = opened();
    tell('notice', notice({ severity: 'info' }));
    expect(shelf.only.autoClose).toBeGreaterThan(0);
  });
});

describe('the big model', () => {
  it('is loaded when it is to be tried again', async () => {
    const { shelf, socket, tell, take } = opened();
    tell('notice', STEP_DOWN);
    expect(wayText({ kind: 'load', model: 'big' }, trans)).toBe('Retry');
    const done = take();
    expect(shelf.only).toMatchObject({ severity: 'in-progress', message: 'Loading big…' });
    expect(socket.request('model:load').payload).toEqual({ id: 'big', force: false });
    socket.answer('model:load', {});
    await done;
    expect(shelf.only).toMatchObject({ severity: 'success', message: 'big is loaded.' });
  });

  it('that is refused again leads to the models', async () => {
    const { shelf, socket, tell, take } = opened();
    tell('notice', STEP_DOWN);
    const done = take();
    socket.refuse('model:load', REFUSAL);
    await done;
    expect(shelf.only).toMatchObject({
      severity: 'error',
      message: 'It needs 9 GB. Close notebooks.'
    });
    await take();
    expect(shelf.hasOpenedModels).toBe(true);
    expect(shelf.views.size).toBe(0);
  });

  it('whose load was cancelled leaves nothing behind', async () => {
    const { shelf, socket, tell, take } = opened();
    tell('notice', STEP_DOWN);
    const done = take();
    socket.refuse('model:load', { ...REFUSAL, code: 'CANCELED' });
    await done;
    expect(shelf.views.size).toBe(0);
  });
});

describe('the lighter profile', () => {
  const list = (word: string) => ({
    profiles: [{ name: 'Compact', model: 'small' }],
    models: [{ id: 'small', name: 'Small', state: word }]
  });

  async function chosen(word: string) {
    const all = opened();
    all.tell('notice', SLOW);
    const done = all.take();
    const { payload } = all.socket.request('settings:update');
    expect(payload).toEqual({ profile: 'Compact', model: null, general_model: null });
    all.socket.answer('settings:update', {});
    await settle();
    all.socket.answer('model:list', list(word));
    await done;
    return all;
  }

  it('is selected', async () => {
    const { shelf } = await chosen('ready');
    expect(shelf.only).toMatchObject({ message: 'Compact is selected.', way: null });
  });

  it('says so where its model is still to be downloaded', async () => {
    const { shelf } = await chosen('missing');
    expect(shelf.only.message).toContain('download Small');
    expect(shelf.only.way).toEqual({ kind: 'models' });
  });

  it('is suggested no longer when it was chosen elsewhere', () => {
    const { shelf, tell } = opened();
    tell('notice', SLOW);
    tell('settings:changed', { settings: { profile: 'Balanced' } });
    expect(shelf.only.way).toEqual({ kind: 'profile', profile: 'Compact' });
    tell('settings:changed', { settings: { profile: 'Compact' } });
    expect(shelf.views.size).toBe(0);
  });
});

describe('a worker that crashed for good', () => {
  it('is told once, with the reason and a way out', () => {
    const { shelf, tell } = opened();
    tell('backend:state', state('failed', 'It was killed.'));
    const first = shelf.only;
    expect(first).toMatchObject({ severity: 'error', details: 'It was killed.', autoClose: false });
    expect(first.way).toEqual({ kind: 'load', model: 'big' });
    tell('backend:state', state('failed', 'It was killed.'));
    expect(shelf.only).toBe(first);
  });

  it('is told where another one is at work, and is not over by that', () => {
    const { shelf, tell } = opened();
    const failed = { model: 'small', profile: '', state: 'failed', reason: 'It was killed.' };
    const resident = [
      { ...failed, roles: ['general'], context_window: 0, memory_bytes: 0, warning: null }
    ];
    tell('backend:state', { ...state('ready'), resident });
    expect(shelf.only.way).toEqual({ kind: 'load', model: 'small' });
    tell('backend:state', { ...state('busy'), resident });
    expect(shelf.views.size).toBe(1);
    tell('backend:state', state('busy'));
    expect(shelf.views.size).toBe(0);
  });

  it('is over as soon as it starts again', () => {
    const { shelf, tell } = opened();
    tell('backend:state', state('failed'));
    tell('backend:state', state('starting'));
    expect(shelf.views.size).toBe(0);
  });
});
