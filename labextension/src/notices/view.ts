/** What a notification says, and what it offers. */

import type { ErrorPayload, Notice, ResidentModel, Severity } from '../contract';
import type { Translate } from '../shared/text/translate';

/** JupyterLab cuts what is longer. */
export const MAX_CHARACTERS = 140;
/** What offers nothing goes by itself after so long. */
export const READING_MS = 15_000;

/** The way out that a notification offers. */
export type Way =
  { kind: 'load'; model: string } | { kind: 'profile'; profile: string } | { kind: 'models' };

export interface INoticeView {
  /** Two notices of one key are one: the later takes the place of the earlier. */
  key: string;
  severity: Severity | 'in-progress' | 'success';
  /** At most `MAX_CHARACTERS`. */
  message: string;
  /** Everything that is known of it; empty where the message says it all. */
  details: string;
  way: Way | null;
  /** Milliseconds, or false: it stays until it is closed. */
  autoClose: number | false;
}

/** The worker crashed too often: the key of the notice of it. */
export const FAILED = 'failed';

export function profileKey(profile: string): string {
  return `profile ${profile}`;
}

/** A notice of the server. */
export function noticeView(notice: Notice): INoticeView {
  const { severity, message, action, try_model, use_profile } = notice;
  let key = message;
  let way: Way | null = null;
  if (try_model !== '') {
    key = `load ${try_model}`;
    way = { kind: 'load', model: try_model };
  } else if (use_profile !== '') {
    key = profileKey(use_profile);
    way = { kind: 'profile', profile: use_profile };
  }
  const autoClose = severity === 'info' && !way ? READING_MS : false;
  return { key, severity, ...told(message, action), way, autoClose };
}

/** The worker is not started again by itself. */
export function failedView({ model, reason }: ResidentModel, trans: Translate): INoticeView {
  return {
    key: FAILED,
    severity: 'error',
    message: trans.__('The local model crashed several times and is not restarted automatically.'),
    details: reason,
    way: model === '' ? { kind: 'models' } : { kind: 'load', model },
    autoClose: false
  };
}

/** A way out is being taken. */
export function takingView(key: string, way: Way, trans: Translate): INoticeView {
  const message =
    way.kind === 'load' ? trans.__('Loading %1…', way.model) : trans.__('Changing the profile…');
  return { key, severity: 'in-progress', message, details: '', way: null, autoClose: false };
}

/** A way out was taken. */
export function takenView(key: string, message: string, way: Way | null = null): INoticeView {
  const autoClose = way ? false : READING_MS;
  return { key, severity: 'success', ...told(message, ''), way, autoClose };
}

/** A way out was none: what the service says of it, and where there is more to choose from. */
export function refusedView(key: string, error: ErrorPayload): INoticeView {
  return {
    key,
    severity: 'error',
    ...told(error.message, error.recovery),
    way: { kind: 'models' },
    autoClose: false
  };
}

/** The words on the button. */
export function wayText(way: Way, trans: Translate): string {
  switch (way.kind) {
    case 'load':
      return trans.__('Retry');
    case 'profile':
      return trans.__('Use %1', way.profile);
    case 'models':
      return trans.__('Open the models');
  }
}

/** As much as fits, and the whole where something does not. */
function told(message: string, action: string): { message: string; details: string } {
  const whole = plain([message, action].filter(Boolean).join(' '));
  if (whole.length <= MAX_CHARACTERS) {
    return { message: whole, details: '' };
  }
  const short = plain(message);
  return {
    message: short.length <= MAX_CHARACTERS ? short : `${short.slice(0, MAX_CHARACTERS - 1)}…`,
    details: whole
  };
}

/** Without the marks of code, which a notification shows as they are. */
function plain(text: string): string {
  return text.replaceAll('`', '');
}
