/** The words for a model: its state, its facts, its buttons, and what is said aloud. */

import {
  actionWord,
  type Activity,
  detailText,
  type License,
  managerText,
  type ModelAction,
  type ModelStateEvent,
  type ModelStateWord,
  modelStateWord,
  type Role
} from '../contract';
import type { Translate } from '../shared/text/translate';
import { perSecond, size, tokens } from '../shared/text/units';
import type { IRow } from '../shared/ui/rows';
import type { IModelView } from './view';

const UNDER_WAY: Record<Exclude<Activity, ''>, ModelStateWord> = {
  download: 'downloading',
  verify: 'verifying',
  import: 'importing',
  export: 'exporting'
};

/** A word or two for the badge. */
export function stateText(model: IModelView, trans: Translate): string {
  const { info, progress, isLoading } = model;
  if (progress && progress.activity !== '') {
    return modelStateWord(progress.isVerifying ? 'verifying' : UNDER_WAY[progress.activity], trans);
  }
  if (isLoading) {
    return modelStateWord('loading', trans);
  }
  switch (info.state) {
    case 'ready':
      return modelStateWord(info.loaded ? 'loaded' : 'ready', trans);
    case 'error':
      return modelStateWord('error', trans);
    default:
      return modelStateWord(info.received_bytes > 0 ? 'paused' : 'absent', trans);
  }
}

/** One line: size, quantisation, context, what it is for. */
export function factsText(model: IModelView, trans: Translate, locale?: string): string {
  const { info } = model;
  const facts = [
    size(info.size_bytes, locale),
    info.quantization,
    info.context_length ? detailText('context', trans, tokens(info.context_length)) : '',
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
    { name: detailText('id', trans), value: info.id },
    { name: detailText('parameters', trans), value: info.parameters },
    { name: detailText('license', trans), value: license?.name ?? detailText('not-known', trans) },
    { name: detailText('version', trans), value: versionText(info.revision, info.pinned, trans) },
    { name: detailText('digest', trans), value: info.digest },
    {
      name: detailText('file', trans),
      value: info.linked ? detailText('linked', trans) : ''
    },
    {
      name: trans.__('Verified'),
      value: info.recheck ? trans.__('file modified: verified again at first use') : ''
    },
    {
      name: detailText('fills', trans),
      value:
        info.fill_in_the_middle === null
          ? ''
          : info.fill_in_the_middle
            ? detailText('yes', trans)
            : detailText('no', trans)
    }
  ];
  if (info.speed) {
    const { prefill_tokens_per_second: reads, decode_tokens_per_second: writes } = info.speed;
    rows.push(
      { name: detailText('reads', trans), value: perSecond(reads, trans, locale) },
      { name: detailText('writes', trans), value: perSecond(writes, trans, locale) }
    );
  }
  if (info.update) {
    const { revision, digest, size_bytes } = info.update;
    const which =
      revision === ''
        ? `${detailText('digest', trans)} ${digest.slice(0, 12)}`
        : shortened(revision);
    rows.push({
      name: detailText('newer', trans),
      value: `${which} · ${size(size_bytes, locale)}`
    });
  }
  return rows.filter(({ value }) => value !== '');
}

function versionText(revision: string, isPinned: boolean, trans: Translate): string {
  if (!isPinned) {
    return shortened(revision);
  }
  return revision === ''
    ? detailText('pinned', trans)
    : detailText('pinned-version', trans, shortened(revision));
}

/** A revision as people compare them: the beginning of a long hash is enough. */
function shortened(revision: string): string {
  return /^[0-9a-f]{40}$/.test(revision) ? revision.slice(0, 12) : revision;
}

export function actionText(action: ModelAction, trans: Translate): string {
  return actionWord(action, trans);
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
    return managerText('ready', trans, name);
  }
  return event.received_bytes > 0
    ? managerText('download-paused', trans, name)
    : trans.__('%1 is not on this machine.', name);
}
