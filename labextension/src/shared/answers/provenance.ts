/** What a cell's metadata say about code that a model wrote. Pure. */

import type { Done, GenerateRequest, Response } from '../../contract';

/** Key of this extension in the metadata of a cell. */
export const METADATA_KEY = 'localcoder';

/**
 * What an answer depends on, with the keys that `%localcoder replay` reads (`magics/record.py`).
 *
 * Not known here, and so left out, are the versions and the machine of the server.
 */
export interface IProvenance {
  /** Id of the run. */
  id: string;
  command: string;
  /** Id of who answered. */
  provider: string;
  model: string;
  digest: string;
  quantization: string;
  /** Empty where the provider does not tell. */
  sampling: Record<string, number>;
  seed: number | null;
  /** Whether the seed was asked for: only then is the same text promised. */
  seeded: boolean;
  prompt_sha256: string;
  text_sha256: string;
  completion_tokens: number | null;
  finish: string;
  /** ISO 8601, UTC, whole seconds. */
  time: string;
  /**
   * What was asked about this cell; absent for a turn of a chat, and where the answer is private.
   *
   * The text of other cells is left out: a notebook is passed on, and what was deleted from it must not stay here.
   */
  request?: Omit<GenerateRequest, 'context' | 'error'>;
}

/** The record of an answer to a command, or without a request to a turn of a chat. */
export function provenance(done: Done, now: Date, request?: GenerateRequest): IProvenance {
  // Digests of short texts can be guessed.
  const isPrivate = request?.private ?? false;
  return {
    id: done.run,
    command: request?.command ?? 'chat',
    provider: done.provider,
    model: done.model.id,
    digest: done.model.digest,
    quantization: done.model.quantization,
    sampling: { ...done.sampling },
    seed: done.sampling?.seed ?? request?.sampling?.seed ?? null,
    seeded: typeof request?.sampling?.seed === 'number',
    prompt_sha256: isPrivate ? '' : done.prompt_sha256,
    text_sha256: isPrivate ? '' : done.text_sha256,
    completion_tokens: done.usage.completion_tokens,
    finish: done.finish,
    time: `${now.toISOString().slice(0, 19)}+00:00`,
    ...(request && !isPrivate && { request: own(request) })
  };
}

/** A request without the cells around it, and without a traceback, which quotes them. */
function own(request: GenerateRequest): Omit<GenerateRequest, 'context' | 'error'> {
  const rest = { ...request };
  delete rest.context;
  delete rest.error;
  return rest;
}

/** The record of an answer that was kept; what was asked stands in the history alone. */
export function provenanceOf(response: Response): IProvenance {
  return {
    id: response.id,
    command: response.kind === 'chat' ? 'chat' : response.command,
    provider: response.provider,
    model: response.model,
    digest: response.digest,
    quantization: response.quantization,
    sampling: { ...response.sampling },
    seed: response.sampling.seed ?? null,
    seeded: false,
    prompt_sha256: response.prompt_sha256,
    text_sha256: response.text_sha256,
    completion_tokens: response.completion_tokens,
    finish: response.finish,
    time: response.created_at
  };
}
