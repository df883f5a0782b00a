/** One turn of a conversation: what was asked, and what was answered. Pure. */

import type { AskingState } from '../answers/asking';
import { plain } from '../answers/plain';
import { type IProvenance, provenance } from '../answers/provenance';
import { sha256 } from '../answers/sha256';
import type { Done, ErrorPayload, Reference, Response } from '../contract';

export interface ITokens {
  read: number;
  /** How many of those were still known from before. */
  cached: number;
  written: number;
}

export interface ITurn {
  /** Tells the turns of a page apart; never changes. */
  key: string;
  /** Id of the answer; empty while there is none that the server remembers. */
  id: string;
  /** Id of the turn before it; empty for the first. */
  parent: string;
  words: string;
  references: readonly Reference[];
  /**
   * Ids of all turns at its place, oldest first, where there are several: it was answered again, or
   * asked otherwise. While it has no id, those beside it.
   */
  alternatives: readonly string[];
  text: string;
  state: AskingState;
  /** Why the model stopped: as in `Done`. */
  finish: string;
  error: ErrorPayload | null;
  tokens: ITokens | null;
  /** Turns before it that did not fit into the context window. */
  leftOut: number;
  /** Whence its code comes; null before the end. */
  record: IProvenance | null;
}

/** A turn that is about to be answered. */
export function asked(
  key: string,
  parent: string,
  words: string,
  references: readonly Reference[],
  alternatives: readonly string[] = []
): ITurn {
  return {
    key,
    id: '',
    parent,
    words,
    references,
    alternatives,
    text: '',
    state: 'waiting',
    finish: '',
    error: null,
    tokens: null,
    leftOut: 0,
    record: null
  };
}

/** Which of the turns at its place it is, from 0, and of how many. */
export function versionOf({ id, alternatives }: ITurn): { at: number; count: number } {
  const found = alternatives.indexOf(id);
  const isBeside = found < 0 && alternatives.length > 0;
  return {
    at: found < 0 ? alternatives.length : found,
    count: alternatives.length + Number(isBeside)
  };
}

/** The turns at the place of one that is to be asked or answered again, that one included. */
export function versionsOf({ id, alternatives }: ITurn): readonly string[] {
  return alternatives.length === 0 && id !== '' ? [id] : alternatives;
}

/** What the last frame says of it. */
export function ended({ alternatives }: ITurn, done: Done, now: Date): Partial<ITurn> {
  // An empty answer is no turn of the conversation.
  const id = done.text === '' ? '' : done.run;
  return {
    id,
    alternatives: id === '' || alternatives.length === 0 ? alternatives : [...alternatives, id],
    finish: done.finish,
    tokens: {
      read: done.usage.prompt_tokens,
      cached: done.usage.cached_tokens,
      written: done.usage.completion_tokens
    },
    leftOut: done.left_out_turns,
    record: provenance(done, now)
  };
}

/** A turn that was kept. */
export function kept(response: Response, alternatives: readonly string[] = []): ITurn {
  const { prompt_tokens: read, completion_tokens: written } = response;
  return {
    ...asked(response.id, response.parent_id, response.prompt, response.references, alternatives),
    id: response.id,
    text: plain(response.content),
    state: response.finish === 'canceled' ? 'stopped' : 'done',
    finish: response.finish,
    tokens:
      read === null || written === null
        ? null
        : { read, cached: response.cached_tokens ?? 0, written },
    record: {
      id: response.id,
      command: 'chat',
      model: response.model,
      digest: response.digest,
      quantization: response.quantization,
      sampling: { ...response.sampling },
      seed: response.sampling.seed ?? 0,
      seeded: false,
      prompt_sha256: response.prompt_sha256,
      text_sha256: sha256(response.content),
      completion_tokens: written ?? 0,
      finish: response.finish,
      time: response.created_at
    }
  };
}
