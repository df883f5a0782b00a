/** What happens when a person presses a button: questions first, then the operation. */

import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ResponseInfo } from '../contract';
import { askText } from '../shared/ui/askText';
import { askTitle } from '../shared/ui/askTitle';
import type { HistoryModel } from './model';
import { fileName } from './words';

export async function editTitle(
  model: HistoryModel,
  { id, title, title_source }: ResponseInfo,
  trans: TranslationBundle
): Promise<void> {
  // The name of a model stands in for a title, and is none.
  const before = title_source === 'model' ? '' : title;
  const written = await askTitle(trans.__('Edit the title'), before, trans);
  if (written !== '' && written !== title) {
    await model.rename(id, written);
  }
}

export async function remove(
  model: HistoryModel,
  { id, title }: ResponseInfo,
  trans: TranslationBundle
): Promise<void> {
  const { button } = await showDialog({
    title: trans.__('Delete this answer?'),
    body: trans.__('“%1” and its file will be deleted from this machine.', title),
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Delete') })],
    defaultButton: 0
  });
  if (button.accept) {
    await model.delete(id);
  }
}

export async function removeAll(
  model: HistoryModel,
  count: number,
  trans: TranslationBundle
): Promise<void> {
  const { button } = await showDialog({
    title: trans.__('Delete the whole history?'),
    body: trans.__(
      'All %1 answers, their files and their conversations will be deleted from this machine.',
      count
    ),
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Delete all') })],
    defaultButton: 0
  });
  if (button.accept) {
    await model.deleteAll();
  }
}

/** Export one answer, or all: to a folder where one is named, else as a download of the browser. */
export async function exportAnswers(
  model: HistoryModel,
  info: ResponseInfo | null,
  trans: TranslationBundle
): Promise<void> {
  const { button, value } = await askText({
    title: info ? trans.__('Export this answer') : trans.__('Export the whole history'),
    label: trans.__(
      'Folder on the machine that runs Jupyter. Leave empty to download the zip file in the browser.'
    ),
    placeholder: trans.__('for example /home/you/backup'),
    okLabel: trans.__('Export')
  });
  if (!button.accept) {
    return;
  }
  const exported = await model.export(info?.id ?? null, value?.trim() ?? '');
  if (exported?.path === '') {
    offer(exported.content, fileName(new Date(), info?.id ?? null));
  }
}

/** Let the browser save a file that came as Base64. */
function offer(content: string, name: string): void {
  const bytes = Uint8Array.from(atob(content), one => one.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/zip' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 10_000);
}
