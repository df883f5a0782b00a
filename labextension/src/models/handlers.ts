/** What happens when a person presses a button: questions first, then the operation. */

import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { managerText, type ModelAction, type ModelInfo } from '../contract';
import { askText } from '../shared/ui/askText';
import type { ModelsModel } from './model';
import type { IModelView } from './view';

/** Does what a button stands for. */
export type Act = (action: ModelAction, view: IModelView) => Promise<void>;

export function makeAct(model: ModelsModel, trans: TranslationBundle): Act {
  return async (action, { info }) => {
    const { id } = info;
    switch (action) {
      case 'download':
      case 'resume':
      case 'retry':
      case 'update':
        await download(model, info, action === 'update', trans);
        return;
      case 'pause':
      case 'stop':
        await model.stop(id);
        return;
      case 'discard':
        await model.discard(id);
        return;
      case 'load':
        await model.load(id);
        return;
      case 'unload':
        await model.unload(id);
        return;
      case 'use-code':
        await model.change({ model: id });
        return;
      case 'use-general':
        await model.change({ general_model: id });
        return;
      case 'verify':
        await model.verify(id);
        return;
      case 'pin':
      case 'unpin':
        await model.pin(id, action === 'pin');
        return;
      case 'export':
        await exportTo(model, info, trans);
        return;
      case 'delete':
        await remove(model, info, trans);
        return;
    }
  };
}

async function download(
  model: ModelsModel,
  info: ModelInfo,
  update: boolean,
  trans: TranslationBundle
): Promise<void> {
  const license = await model.licenseToAccept(info);
  if (!license) {
    await model.download(info.id, '', update);
    return;
  }
  const { askLicense } = await import('./license');
  if (await askLicense(info, license, trans)) {
    await model.download(info.id, license.sha256, update);
  }
}

async function exportTo(
  model: ModelsModel,
  info: ModelInfo,
  trans: TranslationBundle
): Promise<void> {
  const { value } = await askText({
    title: trans.__('Export %1', info.name),
    label: trans.__(
      'Folder on the machine that runs Jupyter. The model is written there with its licence and digests.'
    ),
    placeholder: trans.__('for example /media/stick'),
    okLabel: managerText('export', trans)
  });
  if (value) {
    await model.export(info.id, value);
  }
}

async function remove(
  model: ModelsModel,
  info: ModelInfo,
  trans: TranslationBundle
): Promise<void> {
  const sentences = [
    info.linked ? managerText('link-removed', trans) : managerText('file-deleted', trans)
  ];
  if (info.loaded) {
    sentences.push(managerText('unloaded-first', trans));
  }
  const result = await showDialog({
    title: managerText('delete-question', trans, info.name),
    body: sentences.join(' '),
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: managerText('delete', trans) })],
    defaultButton: 0
  });
  if (result.button.accept) {
    await model.delete(info.id, info.loaded);
  }
}
