/** What a person can do with a model in the state that it is in. */

import type { ModelAction } from '../contract';
import type { IModelView } from './view';

export interface IActions {
  /** Shown with the model. */
  first: ModelAction[];
  /** Shown with its details. */
  more: ModelAction[];
}

export function actionsOf(model: IModelView): IActions {
  const { info, progress, isLoading } = model;
  if (progress && progress.activity !== '') {
    const first: ModelAction[] = progress.activity === 'download' ? ['pause', 'discard'] : ['stop'];
    return { first, more: [] };
  }
  switch (info.state) {
    case 'ready':
      return { first: [info.loaded || isLoading ? 'unload' : 'load'], more: installed(model) };
    case 'error':
      return info.origin === 'catalogue'
        ? { first: ['retry'], more: ['verify', info.received_bytes > 0 ? 'discard' : 'delete'] }
        : { first: ['verify'], more: ['delete'] };
    default:
      return info.received_bytes > 0
        ? { first: ['resume', 'discard'], more: [] }
        : { first: ['download'], more: [] };
  }
}

function installed({ info, isForCode, isForGeneral }: IModelView): ModelAction[] {
  const actions: (ModelAction | false)[] = [
    !isForCode && 'use-code',
    !isForGeneral && 'use-general',
    info.update !== null && !info.pinned && 'update',
    'verify',
    'export',
    info.pinned ? 'unpin' : info.origin === 'catalogue' && 'pin',
    'delete'
  ];
  return actions.filter(action => action !== false);
}
