/** Stand-ins for the browser's WebSocket, a translation bundle, and a server behind the socket. */

import { Channel, type IChannelOptions } from '../src/shared/connection/channel';
import { dialer } from '../src/shared/connection/socket';

/** A WebSocket whose other end is the test. */
export class FakeWebSocket {
  static all: FakeWebSocket[] = [];

  static get last(): FakeWebSocket {
    const last = FakeWebSocket.all.at(-1);
    if (!last) {
      throw new Error('no socket was opened');
    }
    return last;
  }

  constructor(readonly url: string) {
    FakeWebSocket.all.push(this);
  }

  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  isClosed = false;
  readonly sent: { id: string; op: string; payload: Record<string, unknown> }[] = [];

  send(text: string): void {
    this.sent.push(JSON.parse(text) as (typeof this.sent)[number]);
  }

  close(): void {
    this.isClosed = true;
    this.onclose?.();
  }

  /** The last request of an operation. */
  request(op: string): (typeof this.sent)[number] {
    const found = this.sent.filter(one => one.op === op).at(-1);
    if (!found) {
      throw new Error(`no ${op} was sent`);
    }
    return found;
  }

  open(): void {
    this.onopen?.();
  }

  receive(message: unknown): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  answer(op: string, data: unknown): void {
    this.receive({ id: this.request(op).id, success: true, data });
  }

  refuse(op: string, error: unknown): void {
    this.receive({ id: this.request(op).id, success: false, error });
  }

  /** The server or the network ends the connection. */
  drop(): void {
    this.onclose?.();
  }
}

export function makeChannel(options: Partial<IChannelOptions> = {}): Channel {
  FakeWebSocket.all = [];
  return new Channel({
    dial: dialer(
      FakeWebSocket as unknown as new (url: string) => WebSocket,
      () => 'ws://here/localcoder/channel'
    ),
    ...options
  });
}

/** A channel that is open already. */
export function openChannel(): Channel {
  const channel = makeChannel();
  channel.connect();
  FakeWebSocket.last.open();
  return channel;
}

/** English, with the arguments put in as JupyterLab does it. */
export const trans = {
  __: (text: string, ...args: unknown[]): string =>
    text.replace(/%(\d)/g, (_, digit: string) => String(args[Number(digit) - 1]))
};

/** The real one, also where a test has a clock of its own. */
const setTimeout = globalThis.setTimeout;

/** Let every promise that can settle do so. */
export function settle(): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, 0);
  });
}
