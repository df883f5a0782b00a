import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { WarmAhead } from '../../../src/completion/requests/warm';
import type { CompleteRequest } from '../../../src/contract';
import { FakeWebSocket, makeChannel } from '../../fakes';

/** A page with a notebook in front, and what it has sent. */
class Page {
  constructor() {
    this.channel.connect();
  }

  readonly channel = makeChannel();
  isOn = true;
  notebook: object | null = {};
  /** Where the cursor is in a code cell. */
  cursor: string | null = null;
  next: string | null = null;

  readonly warm = new WarmAhead(this.channel, () => this.isOn, {
    atCursor: () => request(this.cursor),
    notebook: () => this.notebook,
    atNextCode: () => request(this.next)
  });

  /** Something happened, and then nothing for a while. */
  happens(): void {
    this.warm.soon();
    vi.advanceTimersByTime(5000);
  }

  get sent(): unknown[] {
    return FakeWebSocket.last.sent
      .filter(one => one.op === 'tab:warm')
      .map(one => one.payload.suffix);
  }
}

function request(suffix: string | null): CompleteRequest | null {
  return suffix === null ? null : { prefix: '', suffix };
}

describe('what is read ahead', () => {
  let page: Page;
  beforeEach(() => {
    vi.useFakeTimers();
    page = new Page();
    FakeWebSocket.last.open();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is the next code where a notebook opens at a text, once', () => {
    page.next = 'x = 1';
    page.happens();
    expect(page.sent).toEqual(['x = 1']);
    page.happens(); // Another text is entered.
    expect(page.sent).toEqual(['x = 1']);
    page.cursor = 'y = 2';
    page.happens();
    expect(page.sent).toEqual(['x = 1', 'y = 2']);
    page.notebook = {};
    page.cursor = null;
    page.happens();
    expect(page.sent).toEqual(['x = 1', 'y = 2', 'x = 1']);
  });

  it('is no text that is entered after a code cell', () => {
    page.cursor = 'y = 2';
    page.happens();
    page.cursor = null;
    page.next = 'x = 1';
    page.happens();
    expect(page.sent).toEqual(['y = 2']);
  });

  it('is nothing in a notebook that had no code when it was opened', () => {
    page.happens();
    page.next = 'x = 1';
    page.happens();
    expect(page.sent).toEqual([]);
  });

  it('is read as soon as completion is on and the notebook and the server are there', () => {
    page.next = 'x = 1';
    page.isOn = false;
    page.happens();
    page.isOn = true;
    const { notebook } = page;
    page.notebook = null;
    page.happens();
    page.notebook = notebook;
    FakeWebSocket.last.drop();
    page.warm.soon();
    vi.advanceTimersByTime(300);
    expect(page.sent).toEqual([]);
    vi.advanceTimersByTime(5000);
    FakeWebSocket.last.open();
    page.happens();
    expect(page.sent).toEqual(['x = 1']);
  });

  it('waits until nothing happens', () => {
    page.next = 'x = 1';
    page.warm.soon();
    page.warm.drop();
    vi.advanceTimersByTime(5000);
    expect(page.sent).toEqual([]);
    page.happens();
    expect(page.sent).toEqual(['x = 1']);
  });
});
