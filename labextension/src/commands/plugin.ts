/** The commands on the cells of notebooks. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { IChannel, IChat, ICompletion } from '../shared/tokens';
import { addCommands } from './commands';

export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-localcoder:commands',
  description: 'Explains, improves, fixes, documents, tests and generates code in cells.',
  autoStart: true,
  requires: [IChannel, INotebookTracker, IRenderMimeRegistry, IEditorLanguageRegistry],
  optional: [IChat, ICompletion, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    channel: IChannel,
    tracker: INotebookTracker,
    rendermime: IRenderMimeRegistry,
    languages: IEditorLanguageRegistry,
    chat: IChat | null,
    completion: ICompletion | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_localcoder');
    addCommands({ app, channel, tracker, rendermime, languages, chat, completion, palette, trans });
  }
};
