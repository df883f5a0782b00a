/** Answers of the service, as the tests need them. */

import type { QueueItem, QueueView, StreamItem } from '../../src/contract';

export function item(id: string, changes: Partial<QueueItem> = {}): QueueItem {
  return {
    id,
    prompt_id: id,
    provider: 'embedded',
    model: '',
    priority: 'normal',
    state: 'waiting',
    position: 2,
    keep: false,
    private: false,
    path: '',
    cell: '',
    added: '2026-11-21T12:00:00.000+00:00',
    error: null,
    prompt_kept: true,
    ...changes
  };
}

export function stream(id: string, changes: Partial<StreamItem> = {}): StreamItem {
  return {
    id,
    kind: 'generate',
    command: 'explain',
    provider: 'embedded',
    path: '',
    cell: '',
    started: '2026-11-21T12:00:00.000+00:00',
    ...changes
  };
}

export function view(changes: Partial<QueueView> = {}): QueueView {
  return { running: [], waiting: [], ended: [], streams: [], limit: 512, ...changes };
}
