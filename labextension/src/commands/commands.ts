/** The commands on cells: palette, menus, and what happens when one is asked for. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { type ICommandPalette, Notification } from '@jupyterlab/apputils';
import type { Cell, CodeCell } from '@jupyterlab/cells';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { MenuSvg } from '@jupyterlab/ui-components';

import type { IChannel, IChat, ICompletion } from '../shared/tokens';
import { logoIcon } from '../shared/ui/icons';
import { lazyLoad } from '../shared/ui/lazyLoad';
import { ErrorBars, type ErrorCommand } from './errorBar';
import { Job } from './job';
import { CELL_COMMANDS, type CellCommand, CommandIDs, wordsOf } from './names';
import { Privacy } from './privacy';
import { obstacleSentence, privacyHelp } from './words';

/** Name of the button in the toolbar of a cell: schema/plugin.json. */
const TOOLBAR_ITEM = 'localcoder-menu';

export interface ICommandsOptions {
  app: JupyterFrontEnd;
  channel: IChannel;
  tracker: INotebookTracker;
  rendermime: IRenderMimeRegistry;
  languages: IEditorLanguageRegistry;
  chat: IChat | null;
  completion: ICompletion | null;
  palette: ICommandPalette | null;
  trans: TranslationBundle;
}

export function addCommands(options: ICommandsOptions): void {
  const { app, tracker, palette, trans } = options;
  const { commands } = app;
  const privacy = new Privacy();
  const runner = new Runner(options, privacy);
  const isEnabled = (): boolean =>
    tracker.currentWidget !== null &&
    tracker.currentWidget === app.shell.currentWidget &&
    tracker.activeCell?.model.type === 'code';
  const menu = new MenuSvg({ commands });
  for (const command of CELL_COMMANDS) {
    const { label, caption } = wordsOf(command, trans);
    const id = CommandIDs[command];
    commands.addCommand(id, {
      label: args => (args.isPalette ? trans.__('%1 (Cell or Selection)', label) : label),
      caption,
      isEnabled,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => {
        const { currentWidget, activeCell } = tracker;
        return currentWidget && activeCell ? runner.run(command, currentWidget, activeCell) : null;
      }
    });
    menu.addItem({ command: id });
    palette?.addItem({ command: id, category: trans.__('LocalCoder'), args: { isPalette: true } });
  }
  menu.addItem({ type: 'separator' });
  menu.addItem({ command: 'localcoder:ask-in-chat' });
  commands.addCommand(CommandIDs.private, {
    label: args => (args.isPalette ? trans.__('Private Cell Commands') : trans.__('Private')),
    caption: privacyHelp(trans),
    isToggleable: true,
    isToggled: () => privacy.isOn,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => {
      privacy.set(!privacy.isOn);
    }
  });
  menu.addItem({ type: 'separator' });
  menu.addItem({ command: CommandIDs.private });
  palette?.addItem({
    command: CommandIDs.private,
    category: trans.__('LocalCoder'),
    args: { isPalette: true }
  });
  privacy.changed.connect(() => {
    commands.notifyCommandChanged(CommandIDs.private);
  });
  commands.addCommand(CommandIDs.menu, {
    label: trans.__('LocalCoder Commands'),
    caption: trans.__('Explain, improve, fix, document, test or generate code'),
    icon: logoIcon,
    isEnabled,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => {
      const node = tracker.activeCell?.node;
      const button = node?.querySelector(`[data-jp-item-name="${TOOLBAR_ITEM}"]`) ?? node;
      const place = button?.getBoundingClientRect();
      menu.open(place?.left ?? 0, place?.bottom ?? 0);
    }
  });
  const notify = (): void => {
    for (const id of Object.values(CommandIDs)) {
      commands.notifyCommandChanged(id);
    }
  };
  const follow = (panel: NotebookPanel): void => {
    const run = (command: ErrorCommand, cell: CodeCell): void => {
      panel.content.activeCellIndex = panel.content.widgets.indexOf(cell);
      void runner.run(command, panel, cell, true);
    };
    void panel.context.ready.then(() => {
      if (!panel.isDisposed) {
        new ErrorBars(panel, run, trans);
      }
    });
  };
  tracker.forEach(follow);
  tracker.widgetAdded.connect((_, panel) => {
    follow(panel);
  });
  tracker.activeCellChanged.connect(notify);
  tracker.currentChanged.connect(notify);
}

class Runner {
  constructor(
    private readonly _options: ICommandsOptions,
    private readonly _privacy: Privacy
  ) {}

  /** `isAboutError`: it is the error in the output of the cell that is to be explained. */
  async run(
    command: CellCommand,
    notebook: NotebookPanel,
    cell: Cell,
    isAboutError = false
  ): Promise<void> {
    const { app, channel, rendermime, languages, chat, completion, trans } = this._options;
    // Apart, so that a page in which no command is used does not load what shows one.
    const loaded = await lazyLoad(() => import('./panel'), trans);
    if (!loaded || cell.isDisposed) {
      return;
    }
    const job = new Job(
      channel,
      command,
      notebook,
      cell,
      this._privacy,
      session => completion?.variablesOf(session) ?? [],
      isAboutError
    );
    const setUp = (): void => {
      void app.commands.execute('localcoder:start');
    };
    const panel = new loaded.CommandPanel({ job, rendermime, languages, chat, setUp, trans });
    const obstacle = job.start();
    if (obstacle) {
      panel.dispose();
      Notification.warning(obstacleSentence(obstacle, trans), { autoClose: 6000 });
      return;
    }
    panel.open();
  }
}
