/** The messages of the websocket, as they come in. */

import type { ErrorPayload, Frame } from '../../contract';

export type Incoming =
  | { kind: 'answer'; id: string; data: unknown }
  | { kind: 'refusal'; id: string; error: ErrorPayload }
  | { kind: 'frame'; id: string; frame: Frame }
  | { kind: 'event'; event: string; payload: unknown };

/**
 * Read one message; `null` for one that this client does not understand.
 *
 * A newer server may send more than an older client knows, so such a message is left alone.
 */
export function parse(text: string): Incoming | null {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(message)) {
    return null;
  }
  const { id, success, data, error, event, payload } = message;
  if (typeof id === 'string') {
    if (success === true) {
      return { kind: 'answer', id, data };
    }
    if (success === false && isRecord(error)) {
      return { kind: 'refusal', id, error: error as unknown as ErrorPayload };
    }
    return isFrame(payload) ? { kind: 'frame', id, frame: payload } : null;
  }
  return typeof event === 'string' ? { kind: 'event', event, payload } : null;
}

/** Whether it is a frame of a stream. What comes from the server is not checked further. */
export function isFrame(value: unknown): value is Frame {
  return (
    isRecord(value) &&
    typeof value.type === 'string' &&
    ['started', 'delta', 'done', 'error'].includes(value.type)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
