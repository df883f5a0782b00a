/** Answers of the service, as the tests need them. */

import type { Response, ResponseInfo, ResponseList } from '../../src/contract';

export function info(id: string, changes: Partial<ResponseInfo> = {}): ResponseInfo {
  return {
    id,
    prompt_id: 'p',
    kind: 'generate',
    command: 'explain',
    conversation_id: '',
    parent_id: '',
    created_at: '2026-11-21T12:00:00.000+00:00',
    title: `Title ${id}`,
    title_source: 'generated',
    preview: 'What is this?',
    provider: 'embedded',
    model: 'tiny',
    finish: 'stop',
    prompt_tokens: 1234,
    cached_tokens: null,
    completion_tokens: 56,
    cost_usd: null,
    milliseconds: 2500,
    notebook: 'a.ipynb',
    cell: '',
    ...changes
  };
}

export function response(id: string, changes: Partial<Response> = {}): Response {
  return {
    ...info(id),
    digest: 'ab',
    quantization: 'Q4_K_M',
    sampling: { temperature: 0.2, seed: 7 },
    prompt_sha256: '',
    text_sha256: 'ef',
    prompt: 'What is this?',
    content: 'It is **that**.',
    ...changes
  } as Response;
}

export function page(...responses: ResponseInfo[]): ResponseList {
  return { responses, total: responses.length, offset: 0 };
}
