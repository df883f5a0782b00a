/** One turn of a conversation: what was asked, and what was answered. Pure. */

import type { Done, ErrorPayload, Reference, Response } from '../contract';
import { plain } from '../shared/answers/plain';
import { type IProvenance, provenance, provenanceOf } from '../shared/answers/provenance';
import type { AnswerState } from '../shared/answers/streamedAnswer';

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
  /** What the model reasoned before it answered. */
  reasoning: string;
  state: AnswerState;
  /** Why the model stopped: as in `Done`. */
  finish: string;
  error: ErrorPayload | null;
  tokens: ITokens | null;
  /** Turns before it that did not fit into the context window. */
  leftOut: number;
  /** Id of who answers; empty while it is not known. */
  provider: string;
  /** An estimate; null where there is none. */
  costUsd: number | null;
  /** Whether it is kept out of the history. */
  isPrivate: boolean;
  /** Whence its code comes; null before the end. */
  record: IProvenance | null;
}

/** Null where the provider did not say. */
function tokensOf(counts: {
  prompt_tokens: number | null;
  cached_tokens: number | null;
  completion_tokens: number | null;
}): ITokens | null {
  const { prompt_tokens: read, cached_tokens: cached, completion_tokens: written } = counts;
  return read === null || written === null ? null : { read, cached: cached ?? 0, written };
}

/** A turn that is about to be answered. */
export function asked(
  key: string,
  parent: string,
  words: string,
  references: readonly Reference[],
  alternatives: readonly string[] = [],
  isPrivate = false
): ITurn {
  return {
    key,
    id: '',
    parent,
    words,
    references,
    alternatives,
    text: '',
    reasoning: '',
    state: 'waiting',
    finish: '',
    error: null,
    tokens: null,
    leftOut: 0,
    provider: '',
    costUsd: null,
    isPrivate,
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
    tokens: tokensOf(done.usage),
    leftOut: done.left_out_turns,
    provider: done.provider,
    costUsd: done.cost_usd,
    record: provenance(done, now)
  };
}

/** A turn that was kept. */
export function kept(response: Response, alternatives: readonly string[] = []): ITurn {
  return {
    ...asked(response.id, response.parent_id, response.prompt, response.references, alternatives),
    id: response.id,
    text: plain(response.content),
    reasoning: response.reasoning || '',
    state: response.finish === 'canceled' ? 'stopped' : 'done',
    finish: response.finish,
    tokens: tokensOf(response),
    leftOut: response.left_out_turns,
    provider: response.provider,
    costUsd: response.cost_usd,
    record: provenanceOf(response)
  };
}
