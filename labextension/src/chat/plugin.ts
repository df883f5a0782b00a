/** The chat: its tab in the sidebar, its commands, and how others begin a question in it. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { IEditorTracker } from '@jupyterlab/fileeditor';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import type { Reference } from '../contract';
import { IChannel, IChat, ICompletion, IPanels } from '../shared/tokens';
import { Arrivals } from '../shared/ui/arrivals';
import type { ISuggestion } from './mention';
import { ChatModel } from './model';
import { PageContext } from './pageContext';

const SECTION = 'chat';

export const CommandIDs = {
  open: 'localcoder:open-chat',
  ask: 'localcoder:ask-in-chat'
} as const;

export const chatPlugin: JupyterFrontEndPlugin<IChat> = {
  id: 'jupyter-localcoder:chat',
  description: 'Chat with the local model in the sidebar.',
  autoStart: true,
  provides: IChat,
  requires: [IChannel, IPanels, INotebookTracker, IRenderMimeRegistry, IEditorLanguageRegistry],
  optional: [ICompletion, ICommandPalette, ITranslator, IEditorTracker],
  activate: (
    app: JupyterFrontEnd,
    channel: IChannel,
    panels: IPanels,
    tracker: INotebookTracker,
    rendermime: IRenderMimeRegistry,
    languages: IEditorLanguageRegistry,
    completion: ICompletion | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
    files: IEditorTracker | null
  ): IChat => {
    const trans = (translator ?? nullTranslator).load('jupyter_localcoder');
    const { contents } = app.serviceManager;
    const page = new PageContext(tracker, contents, channel, completion, languages, trans, files);
    const model = new ChatModel(
      channel,
      () => page.origin,
      () => page.variables
    );
    panels.add({
      id: SECTION,
      label: trans.__('Chat'),
      rank: 150,
      // Apart, so that a page that never opens the chat does not load what it shows.
      create: async () => {
        const { ChatPanel } = await import('./panel');
        const inspect = (run: string): void => {
          void import('../inspector/dialog').then(({ showInspector }) =>
            showInspector(channel, trans, run)
          );
        };
        const setUp = (): void => {
          void app.commands.execute('localcoder:start');
        };
        return new ChatPanel({ model, page, rendermime, inspect, setUp, trans });
      }
    });
    const arrivals = new Arrivals(panels, SECTION, trans);
    let wasRunning = false;
    model.changed.connect(({ isRunning, turns }) => {
      if (wasRunning && !isRunning && turns.at(-1)?.state === 'done') {
        arrivals.add();
      }
      wasRunning = isRunning;
    });
    const compose = (words: string, references: readonly Reference[]): void => {
      panels.show(SECTION);
      model.draft({ words, references });
    };
    addCommands(app, page, palette, trans, compose);
    return { compose };
  }
};

function addCommands(
  app: JupyterFrontEnd,
  page: PageContext,
  palette: ICommandPalette | null,
  trans: ReturnType<ITranslator['load']>,
  compose: IChat['compose']
): void {
  const describedBy = { args: { type: 'object' as const, properties: {} } };
  app.commands.addCommand(CommandIDs.open, {
    label: trans.__('Open the Chat'),
    describedBy,
    execute: () => {
      compose('', []);
    }
  });
  app.commands.addCommand(CommandIDs.ask, {
    label: args =>
      args.isPalette ? trans.__('Ask in Chat (Cell or Selection)') : trans.__('Ask in Chat'),
    caption: trans.__('Add the selected code or the cell to a chat question'),
    isEnabled: () => page.hasCell,
    describedBy,
    execute: async () => {
      const kind = page.offers.hasSelection ? 'selection' : 'cell';
      const wanted: ISuggestion = { kind, name: '', label: kind, detail: '', isOpen: false };
      const found = await page.resolve(wanted).then(
        reference => [reference],
        () => []
      );
      compose('', found);
    }
  });
  for (const command of Object.values(CommandIDs)) {
    palette?.addItem({
      command,
      category: trans.__('LocalCoder'),
      args: { isPalette: true }
    });
  }
}
