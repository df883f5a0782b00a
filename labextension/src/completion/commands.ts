/** The commands of completion, for the palette, the shortcuts and the status bar. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { type ICommandPalette, Notification } from '@jupyterlab/apputils';
import type { INotebookModel, INotebookTracker } from '@jupyterlab/notebook';

import { COMPLETION_COMMANDS } from '../shared/ids';
import type { Translate } from '../shared/text/translate';
import type { Control } from './control';
import type { Ghosts } from './editor/ghosts';
import { nextLine, nextWord } from './editor/pieces';
import { isOffIn, setOffIn } from './notebook/consent';

const READING_MS = 8000;
const NO_ARGUMENTS = { args: { type: 'object', properties: {} } } as const;

export interface ICommandParts {
  app: JupyterFrontEnd;
  control: Control;
  ghosts: Ghosts;
  notebooks: INotebookTracker | null;
  palette: ICommandPalette | null;
  trans: Translate;
  /** Suggestions were switched on. */
  resumed: () => void;
  /** Take the ghost text away, and want no more of it. */
  dismiss: () => void;
  /** Show what the model has read for the last answer. */
  inspect: () => void;
}

export function addCommands(parts: ICommandParts): void {
  const { app, control, ghosts, notebooks, palette, trans } = parts;
  const { commands } = app;
  const model = (): INotebookModel | null => notebooks?.currentWidget?.content.model ?? null;
  // The palette takes the focus, and with it the suggestion: there the commands stand for their keys.
  const isUsable = (): boolean => ghosts.text !== '' || !ghosts.isShown;
  const say = (sentence: string): void => {
    Notification.info(sentence, { autoClose: READING_MS });
  };
  const withGhost = (act: () => void): void => {
    if (ghosts.text !== '') {
      act();
    } else {
      say(
        trans.__(
          'There is no suggestion at the cursor. Use this command while a suggestion is shown.'
        )
      );
    }
  };
  ghosts.refused.connect(() => {
    say(
      trans.__(
        'The suggestion was not accepted because it would replace the selected text. Clear the ' +
          'selection first.'
      )
    );
  });
  commands.addCommand(COMPLETION_COMMANDS.acceptWord, {
    label: trans.__('Accept the Next Word of the Suggestion'),
    describedBy: NO_ARGUMENTS,
    isEnabled: isUsable,
    execute: () => {
      withGhost(() => {
        ghosts.accept(nextWord, 'word');
      });
    }
  });
  commands.addCommand(COMPLETION_COMMANDS.acceptLine, {
    label: trans.__('Accept the Next Line of the Suggestion'),
    describedBy: NO_ARGUMENTS,
    isEnabled: isUsable,
    execute: () => {
      withGhost(() => {
        ghosts.accept(nextLine, 'line');
      });
    }
  });
  commands.addCommand(COMPLETION_COMMANDS.dismiss, {
    label: trans.__('Dismiss the Suggestion'),
    describedBy: NO_ARGUMENTS,
    isEnabled: isUsable,
    execute: () => {
      withGhost(parts.dismiss);
    }
  });
  commands.addCommand(COMPLETION_COMMANDS.pause, {
    label: () =>
      control.isPaused ? trans.__('Resume Suggestions') : trans.__('Pause Suggestions'),
    caption: trans.__('Until they are resumed or the page is reloaded'),
    describedBy: NO_ARGUMENTS,
    isEnabled: () => !control.isOff,
    execute: () => {
      control.setPaused(!control.isPaused);
    }
  });
  commands.addCommand(COMPLETION_COMMANDS.pauseNotebook, {
    label: trans.__('Suggestions in This Notebook'),
    caption: trans.__('Stored in the notebook metadata'),
    describedBy: NO_ARGUMENTS,
    isToggleable: true,
    isToggled: () => !isOffIn(model()),
    isEnabled: () => model() !== null,
    execute: () => {
      const notebook = model();
      if (notebook) {
        setOffIn(notebook, !isOffIn(notebook));
        parts.resumed();
      }
    }
  });
  commands.addCommand(COMPLETION_COMMANDS.inspect, {
    label: trans.__('Inspect Prompt'),
    caption: trans.__('Show the exact prompt and the timings of the last answer'),
    describedBy: NO_ARGUMENTS,
    execute: parts.inspect
  });
  control.changed.connect(() => {
    commands.notifyCommandChanged(COMPLETION_COMMANDS.pause);
  });
  for (const command of Object.values(COMPLETION_COMMANDS)) {
    palette?.addItem({ command, category: trans.__('LocalCoder') });
  }
}
