import { describe, expect, it } from 'vitest';

import type { ModelInfo } from '../../src/contract';
import { ModelsModel } from '../../src/models/model';
import { StartModel } from '../../src/start/steps';
import { stepSummary } from '../../src/start/words';
import { FakeWebSocket, openChannel, settle, trans } from '../fakes';
import { info, list, moved, settings } from '../models/samples';

const STOPPED = {
  state: 'stopped',
  generation: 0,
  reason: '',
  model: null,
  profile: 'auto',
  resident: [],
  residency: ''
};

/** A service that answers everything, with the models as the test changes them. */
class Service {
  constructor(...models: ModelInfo[]) {
    this.models = models;
    this.channel = openChannel();
    this.socket = FakeWebSocket.last;
  }

  readonly channel;
  readonly socket;
  models: ModelInfo[];
  chosen = settings();
  answering = { code_model: 'mine', general_model: 'mine' };
  refuses = '';
  private readonly _answered = new Set<string>();

  set(id: string, changes: Partial<ModelInfo>): void {
    this.models = this.models.map(one => (one.id === id ? { ...one, ...changes } : one));
  }

  tell(event: string, payload: unknown): void {
    this.socket.receive({ event, payload });
  }

  /** What was asked, without the questions that change nothing. */
  get asked(): string[] {
    const quiet = ['model:list', 'settings:get', 'backend:ping'];
    return this.socket.sent.map(({ op }) => op).filter(op => !quiet.includes(op));
  }

  async answer(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) {
      for (const { id, op, payload } of [...this.socket.sent]) {
        if (this._answered.has(id)) {
          continue;
        }
        this._answered.add(id);
        if (op === this.refuses) {
          const error = { code: 'X', message: 'No.', recovery: '', details: {} };
          this.socket.receive({ id, success: false, error });
          continue;
        }
        if (op === 'model:load') {
          this.set(String(payload.id), { loaded: true });
        }
        const answers: Record<string, unknown> = {
          'model:list': { ...list(...this.models), ...this.answering },
          'settings:get': this.chosen,
          'settings:update': this.chosen,
          'backend:ping': STOPPED,
          'model:load': { load_ms: 1234 }
        };
        this.socket.receive({ id, success: true, data: answers[op] ?? {} });
      }
      await settle();
    }
  }
}

async function started(...models: ModelInfo[]) {
  const service = new Service(...models);
  const start = new StartModel(new ModelsModel(service.channel, trans));
  await service.answer();
  return { service, start };
}

describe('the way to a first completion', () => {
  it('leads through the licence, the download and the load, and fetches at one button only', async () => {
    const { service, start } = await started(info('a'), info('b'));
    expect(start.step).toBe('about');
    start.next();
    expect([start.step, start.profile?.name, start.isRecommended]).toEqual([
      'choose',
      'Compact',
      true
    ]);
    start.next();
    await service.answer();
    expect(start.step).toBe('licence');
    expect(service.asked).toEqual([]);
    start.next();
    await service.answer();
    expect(start.step).toBe('download');
    expect(service.socket.request('model:ensure').payload).toMatchObject({
      id: 'a',
      accept_license: 'c0'
    });
    service.tell('model:state', moved('a', { received_bytes: 500 }));
    expect(start.step).toBe('download');
    service.set('a', { state: 'ready', license_accepted: true });
    service.tell('model:state', moved('a', { activity: '', state: 'ready', received_bytes: 1000 }));
    expect(start.step).toBe('warm');
    await service.answer();
    expect(start.step).toBe('try');
    expect(service.asked).toEqual(['model:ensure', 'model:load']);
    expect(
      ['choose', 'licence', 'download', 'warm', 'try'].map(step =>
        stepSummary(step as 'try', start, trans)
      )
    ).toEqual([
      'Compact: Model a',
      'Apache, accepted',
      '1.12 GB, digest verified',
      'loaded in 1.2 s',
      ''
    ]);
  });

  it('asks for no licence that is accepted already', async () => {
    const { service, start } = await started(info('a', { license_accepted: true }));
    start.next();
    start.next();
    await service.answer();
    expect(start.step).toBe('download');
  });

  it('goes to the load at once where the model is here, and past it where it is loaded', async () => {
    const { service, start } = await started(info('a', { state: 'ready' }));
    start.next();
    start.next();
    expect(start.step).toBe('warm');
    await service.answer();
    expect(start.step).toBe('try');
    const there = await started(info('a', { state: 'ready', loaded: true }));
    there.start.next();
    there.start.next();
    expect(there.start.step).toBe('try');
    expect(there.service.asked).toEqual([]);
  });

  it('keeps another choice in the settings, and `auto` for what is recommended', async () => {
    const { service, start } = await started(info('a', { state: 'ready' }), info('b'));
    start.next();
    start.choose('Balanced');
    expect(start.isRecommended).toBe(false);
    start.next();
    await service.answer();
    expect(service.socket.request('settings:update').payload).toEqual({
      profile: 'Balanced',
      model: null
    });
    const again = await started(info('a', { state: 'ready' }));
    again.start.next();
    again.start.next();
    await again.service.answer();
    expect(again.service.asked).toEqual(['model:load']);
  });

  it('goes on with a model that was imported, and pins nothing', async () => {
    const { service, start } = await started(info('a'), info('mine', { state: 'ready' }));
    start.next();
    const done = start.useImported('mine');
    await service.answer();
    await done;
    await service.answer();
    expect(service.asked).toEqual(['model:load']);
    expect([start.step, start.view?.info.id]).toEqual(['try', 'mine']);
    expect([start.instead, start.isPinned]).toEqual(['', false]);
  });

  it('lets what is here answer where what was chosen is not', async () => {
    const { service, start } = await started(info('a'), info('mine', { state: 'ready' }));
    service.answering = { code_model: '', general_model: '' };
    const done = start.useImported('mine');
    await service.answer();
    await done;
    expect(service.socket.request('settings:update').payload).toEqual({
      profile: 'auto',
      model: null,
      general_model: null
    });
  });

  it('says which model goes before an imported one, and pins that one for all where it is wanted', async () => {
    const { service, start } = await started(
      info('a', { state: 'ready' }),
      info('mine', { state: 'ready' })
    );
    service.answering = { code_model: 'a', general_model: 'a' };
    const done = start.useImported('mine');
    await service.answer();
    await done;
    await service.answer();
    expect(service.asked).toEqual(['model:load']);
    expect(start.instead).toBe('a');
    service.chosen = settings({ model: 'mine', general_model: 'mine' });
    service.answering = { code_model: 'mine', general_model: 'mine' };
    const pinned = start.pinImported();
    await service.answer();
    await pinned;
    await service.answer();
    expect(service.socket.request('settings:update').payload).toEqual({
      model: 'mine',
      general_model: 'mine'
    });
    expect([start.instead, start.isPinned]).toEqual(['', true]);
  });

  it('stays at a load that was refused', async () => {
    const { service, start } = await started(info('a', { state: 'ready' }));
    service.refuses = 'model:load';
    start.next();
    start.next();
    await service.answer();
    expect(start.step).toBe('warm');
    expect(start.models.actionState.note('a')?.message).toBe('No.');
    service.refuses = '';
    start.next();
    await service.answer();
    expect(start.step).toBe('try');
  });

  it('leads back', async () => {
    const { start } = await started(info('a'));
    start.next();
    start.next();
    expect(start.step).toBe('licence');
    start.back();
    expect(start.step).toBe('choose');
    start.back();
    expect(start.step).toBe('about');
  });

  it('does not go on from a part that is only paused', async () => {
    const { service, start } = await started(info('a', { license_accepted: true }));
    start.next();
    start.next();
    await service.answer();
    service.set('a', { received_bytes: 500 });
    service.tell('model:state', moved('a', { activity: '', state: 'idle', received_bytes: 500 }));
    await service.answer();
    expect(start.step).toBe('download');
  });

  it('lets go of the models', async () => {
    const { service, start } = await started(info('a'));
    start.dispose();
    service.tell('model:state', moved('a', {}));
    expect(start.isDisposed).toBe(true);
  });
});
