/** What a cell's metadata say about code that a model wrote. Pure. */

import {
  type Done,
  type GenerateRequest,
  OF_OTHER_CELLS,
  type Provenance,
  type Response
} from '../../contract';

/**
 * What an answer depends on; not known here, and so left out, are the versions and the machine of the server.
 *
 * The text of other cells is left out: a notebook is passed on, and what was deleted from it must not stay here.
 */
export interface IProvenance extends Omit<Provenance, 'versions' | 'machine' | 'request'> {
  /** What was asked about this cell; absent for a turn of a chat, and where the answer is private. */
  request?: OwnRequest;
}

type OwnRequest = Omit<GenerateRequest, (typeof OF_OTHER_CELLS)[number]>;

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
function own(request: GenerateRequest): OwnRequest {
  const foreign: readonly string[] = OF_OTHER_CELLS;
  return Object.fromEntries(
    Object.entries(request).filter(([name]) => !foreign.includes(name))
  ) as unknown as OwnRequest;
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
