/**
 * A websocket, reduced to what the channel needs of it.
 *
 * This keeps the channel free of the many ways in which a WebSocket can tell the same thing.
 */

export interface ISocket {
  send(text: string): void;
  close(): void;
}

export interface ISocketHandlers {
  opened(): void;
  received(text: string): void;
  /** Comes once, last, and also when the socket never opened. */
  closed(): void;
}

/** Opens one new socket. The handlers are never called before it returns. */
export type Dial = (handlers: ISocketHandlers) => ISocket;

/** A `Dial` over the browser's WebSocket class, or over the one that the server settings name. */
export function dialer(socketClass: new (url: string) => WebSocket, url: () => string): Dial {
  return handlers => {
    const socket = new socketClass(url());
    socket.onopen = () => {
      handlers.opened();
    };
    socket.onmessage = (event: MessageEvent<unknown>) => {
      if (typeof event.data === 'string') {
        handlers.received(event.data);
      }
    };
    socket.onclose = () => {
      handlers.closed();
    };
    return socket;
  };
}
