import { describe, expect, it } from 'vitest';

import type { ResponseList } from '../../src/contract';
import { HistoryModel } from '../../src/history/model';
import { FakeWebSocket, openChannel, settle, trans } from '../fakes';
import { settings } from '../models/samples';
import { info, page, response } from './samples';

const REFUSAL = { code: 'RESPONSE_NOT_FOUND', message: 'It is gone.', recovery: '', details: {} };

async function opened(first: ResponseList = page(info('a'), info('b')), isSeen = () => true) {
  const model = new HistoryModel(openChannel(), trans, isSeen, 0);
  const socket = FakeWebSocket.last;
  void model.refresh();
  socket.answer('settings:get', settings());
  await settle();
  socket.answer('response:getHistory', first);
  await settle();
  return { model, socket };
}

async function listed(socket: FakeWebSocket, answer: ResponseList): Promise<void> {
  await settle();
  socket.answer('response:getHistory', answer);
  await settle();
}

const count = (socket: FakeWebSocket, op: string) =>
  socket.sent.filter(one => one.op === op).length;
const titles = (model: HistoryModel) => model.page?.rows.map(({ info: { title } }) => title);

describe('the list', () => {
  it('is a page, and turns to the next', async () => {
    const { model, socket } = await opened({ ...page(info('a')), total: 41 });
    expect(model.page).toMatchObject({ offset: 0, total: 41, hasMore: true });
    const turned = model.turnTo(20);
    expect(socket.request('response:getHistory').payload).toEqual({ limit: 20, offset: 20 });
    await listed(socket, { ...page(info('b')), total: 41 });
    await turned;
    expect(model.page).toMatchObject({ offset: 20, hasMore: true });
    const last = model.turnTo(40);
    await listed(socket, { ...page(info('c')), total: 41 });
    await last;
    expect(model.page?.hasMore).toBe(false);
  });

  it('goes back a page where all of one is deleted', async () => {
    const { model, socket } = await opened();
    const turned = model.turnTo(20);
    await listed(socket, { responses: [], total: 20, offset: 20 });
    await listed(socket, page(info('a')));
    await turned;
    expect(model.page).toMatchObject({ offset: 0 });
    expect(titles(model)).toEqual(['Title a']);
  });

  it('follows what is kept, while somebody looks', async () => {
    let isSeen = true;
    const { model, socket } = await opened(page(), () => isSeen);
    socket.receive({ event: 'history:changed', payload: { reason: 'kept', response_id: 'n' } });
    await listed(socket, page(info('n')));
    expect(titles(model)).toEqual(['Title n']);
    isSeen = false;
    const before = count(socket, 'response:getHistory');
    socket.receive({ event: 'history:changed', payload: { reason: 'swept', response_id: '' } });
    await settle();
    expect(count(socket, 'response:getHistory')).toBe(before);
  });

  it('follows titles', async () => {
    const { model, socket } = await opened();
    const told = (status: string, title: string) => {
      socket.receive({
        event: 'title:status',
        payload: { response_id: 'a', status, title, time: '', model: '' }
      });
    };
    told('pending', 'tiny');
    expect([model.isTitlePending('a'), titles(model)?.[0]]).toEqual([true, 'Title a']);
    told('completed', 'New');
    expect([model.isTitlePending('a'), titles(model)?.[0]]).toEqual([false, 'New']);
  });
});

describe('the search', () => {
  it('asks for the words, and says how many were found', async () => {
    const { model, socket } = await opened();
    const done = model.search(' word ');
    expect(socket.request('response:search').payload).toEqual({
      query: 'word',
      limit: 20,
      offset: 0
    });
    const excerpt = [{ text: 'word', match: true }];
    socket.answer('response:search', {
      found: [{ response: info('a'), excerpt }],
      more: false,
      offset: 0
    });
    await done;
    expect(model.page).toMatchObject({ total: null, hasMore: false, query: 'word' });
    expect(model.page?.rows[0]?.excerpt).toEqual(excerpt);
    expect(model.spoken).toBe('Results: 1');
  });

  it('shows the last of what was typed', async () => {
    const { model, socket } = await opened();
    const first = model.search('a');
    const second = model.search('ab');
    socket.answer('response:search', { found: [], more: false, offset: 0 });
    await settle();
    expect(socket.request('response:search').payload.query).toBe('ab');
    socket.answer('response:search', {
      found: [{ response: info('b'), excerpt: [] }],
      more: false,
      offset: 0
    });
    await Promise.all([first, second]);
    expect([model.page?.query, titles(model)?.[0]]).toEqual(['ab', 'Title b']);
  });

  it('lists all again without a word', async () => {
    const { model, socket } = await opened();
    const done = model.search('  ');
    await listed(socket, page(info('a')));
    await done;
    expect(model.page?.total).toBe(1);
    expect(count(socket, 'response:search')).toBe(0);
  });
});

describe('an answer', () => {
  async function open() {
    const { model, socket } = await opened();
    const done = model.open('a');
    socket.answer('response:get', response('a'));
    await done;
    return { model, socket };
  }

  it('is opened and closed', async () => {
    const { model } = await open();
    expect(model.opened?.content).toBe('It is **that**.');
    model.close();
    expect(model.opened).toBeNull();
  });

  it('that is gone is a note at its row', async () => {
    const { model, socket } = await opened();
    const done = model.open('a');
    socket.refuse('response:get', REFUSAL);
    await listed(socket, page(info('b')));
    expect(await done).toBe(false);
    expect(model.actionState.note('a')?.message).toBe('It is gone.');
  });

  it('gets a title by hand, or another one', async () => {
    const { model, socket } = await open();
    const named = model.rename('a', 'By hand');
    expect(socket.request('title:set').payload).toEqual({ id: 'a', title: 'By hand' });
    socket.answer('title:set', info('a', { title: 'By hand', title_source: 'hand' }));
    await named;
    expect([model.opened?.title, titles(model)?.[0]]).toEqual(['By hand', 'By hand']);
    const made = model.retitle('a');
    socket.refuse('title:generate', { ...REFUSAL, code: 'TITLE_TIMEOUT', message: 'Too slow.' });
    expect(await made).toBe(false);
    expect(model.actionState.note('a')?.message).toBe('Too slow.');
    expect(model.opened?.title).toBe('By hand');
  });

  it('is closed when it is deleted, here or elsewhere', async () => {
    const { model, socket } = await open();
    const done = model.delete('a');
    socket.answer('response:delete', {});
    await listed(socket, page(info('b')));
    expect(await done).toBe(true);
    expect(model.opened).toBeNull();
    const again = await open();
    again.socket.receive({
      event: 'history:changed',
      payload: { reason: 'deleted', response_id: 'a' }
    });
    expect(again.model.opened).toBeNull();
  });

  it('is exported, into the answer or to a folder', async () => {
    const { model, socket } = await open();
    const carried = model.export('a');
    expect(socket.request('response:export').payload).toEqual({ id: 'a', path: '' });
    socket.answer('response:export', { count: 1, size_bytes: 3, path: '', content: 'UEsD' });
    expect((await carried)?.content).toBe('UEsD');
    expect(model.actionState.note('a')).toBeUndefined();
    const written = model.export(null, '/x');
    socket.answer('response:export', { count: 2, size_bytes: 3, path: '/x/h.zip', content: '' });
    await written;
    expect(model.actionState.note('')?.message).toBe('2 answers were written to /x/h.zip.');
  });
});

it('deletes all, and says how many there were', async () => {
  const { model, socket } = await opened();
  const done = model.deleteAll();
  expect(socket.request('response:deleteAll').payload).toEqual({ all: true });
  socket.answer('response:deleteAll', { count: 2 });
  await listed(socket, page());
  await done;
  expect(model.actionState.note('')?.message).toBe('2 answers were deleted.');
  expect(model.page?.rows).toEqual([]);
});

it('keeps nothing from now on, and follows who else says so', async () => {
  const { model, socket } = await opened();
  expect(model.settings?.settings.history).toBe(true);
  const refused = model.keep(false);
  expect(model.settings?.settings.history).toBe(false);
  socket.refuse('settings:update', { ...REFUSAL, message: 'Fixed.' });
  await refused;
  expect(model.settings?.settings.history).toBe(true);
  expect(model.actionState.note('')?.message).toBe('Fixed.');
  const done = model.keep(false);
  expect(socket.request('settings:update').payload).toEqual({ history: false });
  socket.answer('settings:update', settings({ history: false }));
  await done;
  expect(model.settings?.settings.history).toBe(false);
  socket.receive({ event: 'settings:changed', payload: settings({ history: true }) });
  expect(model.settings?.settings.history).toBe(true);
});

describe('how titles are made', () => {
  const CONFIG = {
    enabled: true,
    provider: '',
    model: '',
    timeout_seconds: 60,
    sources: {},
    problem: ''
  };
  const LIST = { providers: [], kinds: [], active: 'embedded' };

  it('is asked for when somebody wants to know, and changed', async () => {
    const { model, socket } = await opened();
    expect(count(socket, 'title:config:get')).toBe(0);
    const read = model.openTitles();
    socket.answer('title:config:get', CONFIG);
    socket.answer('provider:list', LIST);
    await read;
    expect(model.titles).toEqual(CONFIG);
    const done = model.makeTitles({ enabled: false });
    socket.answer('title:config:set', { ...CONFIG, enabled: false });
    expect(await done).toBe(true);
    expect(model.titles?.enabled).toBe(false);
    expect(model.spoken).toBe('Titles are turned off.');
  });

  it('is asked for again when a provider is gone', async () => {
    const { model, socket } = await opened();
    const read = model.openTitles();
    socket.answer('title:config:get', { ...CONFIG, provider: 'acme' });
    socket.answer('provider:list', LIST);
    await read;
    socket.receive({ event: 'providers:changed', payload: LIST });
    socket.answer('title:config:get', CONFIG);
    socket.answer('provider:list', LIST);
    await settle();
    expect(model.titles?.provider).toBe('');
  });

  it('is asked for again when what was in the way is gone', async () => {
    const { model, socket } = await opened();
    const read = model.openTitles();
    socket.answer('title:config:get', { ...CONFIG, problem: 'No model is loaded.' });
    socket.answer('provider:list', LIST);
    await read;
    const payload = { response_id: 'a', status: 'completed', title: 'New', time: '', model: '' };
    socket.receive({ event: 'title:status', payload });
    socket.answer('title:config:get', CONFIG);
    socket.answer('provider:list', LIST);
    await settle();
    expect(model.titles?.problem).toBe('');
    socket.receive({ event: 'title:status', payload });
    await settle();
    expect(count(socket, 'title:config:get')).toBe(2);
  });

  it('stays as it is where a change is refused', async () => {
    const { model, socket } = await opened();
    const done = model.makeTitles({ timeout_seconds: 5 });
    const error = { code: 'TITLE_CONFIG_INVALID', message: 'No.', recovery: '', details: {} };
    socket.refuse('title:config:set', error);
    expect(await done).toBe(false);
    expect(model.actionState.note(' titles')).toMatchObject({ severity: 'error', message: 'No.' });
  });
});
