/** The words for a model: its state, its facts, its buttons, and what is said aloud. */

import type { License, ModelStateEvent, Role } from '../contract';
import type { Translate } from '../shared/text/translate';
import { perSecond, size, tokens } from '../shared/text/units';
import type { IRow } from '../shared/ui/rows';
import type { ModelAction } from './actions';
import type { IModelView } from './view';

/** A word or two for the badge. */
export function stateText(model: IModelView, trans: Translate): string {
  const { info, progress, isLoading } = model;
  if (progress && progress.activity !== '') {
    return progress.isVerifying ? trans.__('verifying') : underWay(progress.activity, trans);
  }
  if (isLoading) {
    return trans.__('loading');
  }
  switch (info.state) {
    case 'ready':
      return info.loaded ? trans.__('loaded') : trans.__('on this machine');
    case 'error':
      return trans.__('error');
    default:
      return info.received_bytes > 0 ? trans.__('paused') : trans.__('not downloaded');
  }
}

function underWay(activity: string, trans: Translate): string {
  switch (activity) {
    case 'import':
      return trans.__('importing');
    case 'export':
      return trans.__('exporting');
    default:
      return trans.__('downloading');
  }
}

/** One line: size, quantisation, context, what it is for. */
export function factsText(model: IModelView, trans: Translate, locale?: string): string {
  const { info } = model;
  const facts = [
    size(info.size_bytes, locale),
    info.quantization,
    info.context_length ? trans.__('%1 context', tokens(info.context_length)) : '',
    info.roles.map(role => roleText(role, trans)).join(', ')
  ];
  return facts.filter(Boolean).join(' · ');
}

function roleText(role: Role, trans: Translate): string {
  return role === 'code' ? trans.__('code') : trans.__('general');
}

/** Everything else that is known of a model, by name. */
export function detailRows(
  model: IModelView,
  license: License | undefined,
  trans: Translate,
  locale?: string
): IRow[] {
  const { info } = model;
  const rows: IRow[] = [
    { name: trans.__('Id'), value: info.id },
    { name: trans.__('Parameters'), value: info.parameters },
    { name: trans.__('Licence'), value: license?.name ?? trans.__('not known') },
    { name: trans.__('Version'), value: versionText(info.revision, info.pinned, trans) },
    { name: trans.__('SHA-256'), value: info.digest },
    {
      name: trans.__('File'),
      value: info.linked ? trans.__('linked, outside the model folder') : ''
    },
    {
      name: trans.__('Verified'),
      value: info.recheck ? trans.__('file modified: verified again at first use') : ''
    },
    {
      name: trans.__('Fill-in-the-middle'),
      value:
        info.fill_in_the_middle === null
          ? ''
          : info.fill_in_the_middle
            ? trans.__('yes')
            : trans.__('no')
    }
  ];
  if (info.speed) {
    const { prefill_tokens_per_second: reads, decode_tokens_per_second: writes } = info.speed;
    rows.push(
      { name: trans.__('Reads here'), value: perSecond(reads, trans, locale) },
      { name: trans.__('Writes here'), value: perSecond(writes, trans, locale) }
    );
  }
  if (info.update) {
    rows.push({
      name: trans.__('Newer version'),
      value: `${shortened(info.update.revision)} · ${size(info.update.size_bytes, locale)}`
    });
  }
  return rows.filter(({ value }) => value !== '');
}

function versionText(revision: string, isPinned: boolean, trans: Translate): string {
  if (!isPinned) {
    return shortened(revision);
  }
  return revision === '' ? trans.__('pinned') : trans.__('%1 (pinned)', shortened(revision));
}

/** A revision as people compare them: the beginning of a long hash is enough. */
function shortened(revision: string): string {
  return /^[0-9a-f]{40}$/.test(revision) ? revision.slice(0, 12) : revision;
}

export function actionText(action: ModelAction, trans: Translate): string {
  switch (action) {
    case 'download':
      return trans.__('Download…');
    case 'resume':
      return trans.__('Resume');
    case 'retry':
      return trans.__('Try again');
    case 'update':
      return trans.__('Update');
    case 'pause':
      return trans.__('Pause');
    case 'stop':
      return trans.__('Stop');
    case 'discard':
      return trans.__('Cancel');
    case 'load':
      return trans.__('Load');
    case 'unload':
      return trans.__('Unload');
    case 'use-code':
      return trans.__('Use for code');
    case 'use-general':
      return trans.__('Use for general questions');
    case 'verify':
      return trans.__('Verify');
    case 'export':
      return trans.__('Export…');
    case 'pin':
      return trans.__('Pin this version');
    case 'unpin':
      return trans.__('Unpin');
    case 'delete':
      return trans.__('Delete…');
  }
}

/** What a screen reader says when something with a model has ended; empty where there is no news. */
export function spokenText(event: ModelStateEvent, name: string, trans: Translate): string {
  if (event.error) {
    return trans.__('%1: %2', name, event.error.message);
  }
  if (event.activity !== '') {
    return '';
  }
  if (event.state === 'ready') {
    return trans.__('%1 is ready.', name);
  }
  return event.received_bytes > 0
    ? trans.__('The download of %1 is paused.', name)
    : trans.__('%1 is not on this machine.', name);
}
