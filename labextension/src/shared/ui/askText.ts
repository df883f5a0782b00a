/** Asks a person for a line of text, in a dialog of JupyterLab. */

import { type Dialog, InputDialog } from '@jupyterlab/apputils';

import { shieldTextBoxes } from './keyboard';

/** As `InputDialog.getText`, whose dialog takes the Enter that confirms a candidate for its own. */
export async function askText(options: InputDialog.ITextOptions): Promise<Dialog.IResult<string>> {
  const shield = shieldTextBoxes(box => box.closest('.jp-Dialog') !== null);
  try {
    return await InputDialog.getText(options);
  } finally {
    shield.dispose();
  }
}
