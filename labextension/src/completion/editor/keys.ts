/** Shortcuts of ghost text come before those of CodeMirror, which has a use for most keys with an arrow. */

import type { EditorView } from '@codemirror/view';
import { CommandRegistry } from '@lumino/commands';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';

import { isComposing } from '../../shared/ui/keyboard';
import { escapeOwner } from './escape';

export interface IKeyOptions {
  /** The command that takes the ghost text away. */
  dismiss: string;
  /** The editor in use. */
  view: () => EditorView | null;
  /** Hears of each Escape that dismisses no ghost text and closes no list; never keeps it from anybody. */
  escaped: () => void;
}

/** Run commands by their shortcuts, as they are set, before the editor or JupyterLab hears of the key. */
export function listen(
  commands: CommandRegistry,
  ids: readonly string[],
  { dismiss, view, escaped }: IKeyOptions
): IDisposable {
  const onKey = (event: KeyboardEvent): void => {
    const { target } = event;
    if (!(target instanceof Element) || isComposing(event)) {
      return;
    }
    const keystroke = CommandRegistry.keystrokeForKeydownEvent(event);
    const binding = commands.keyBindings.find(
      ({ command, keys, selector }) =>
        ids.includes(command) &&
        keys.length === 1 &&
        keys[0] === keystroke &&
        target.closest(selector) !== null &&
        commands.isEnabled(command)
    );
    const take = (command: string): void => {
      event.preventDefault();
      event.stopPropagation();
      void commands.execute(command);
    };
    if (event.key !== 'Escape' || (binding && binding.command !== dismiss)) {
      if (binding) {
        take(binding.command);
      }
      return;
    }
    const owner = escapeOwner({
      isDismissal: binding !== undefined,
      hasList: target.closest(LIST_IS_OPEN) !== null,
      hasTooltip: document.querySelector(TOOLTIP) !== null && commands.hasCommand(CLOSE_TOOLTIP),
      isVimInserting: isVimInserting(view())
    });
    switch (owner) {
      case 'list':
        break; // It stops the key, so that JupyterLab stays in the edit mode.
      case 'tooltip':
        // JupyterLab closes it with any key, and then leaves the edit mode.
        take(CLOSE_TOOLTIP);
        break;
      case 'ghost':
        take(dismiss);
        break;
      case 'ghost-and-vim':
        void commands.execute(dismiss);
        break;
      case 'other':
        escaped();
    }
  };
  // At the window: JupyterLab itself listens at the document before anything else does.
  window.addEventListener('keydown', onKey, true);
  return new DisposableDelegate(() => {
    window.removeEventListener('keydown', onKey, true);
  });
}

// What JupyterLab marks: the editor whose list of completions is open, and the tooltip of a function.
const LIST_IS_OPEN = '.jp-mod-completer-active';
const TOOLTIP = 'body.jp-mod-tooltip';
const CLOSE_TOOLTIP = 'tooltip:dismiss';

/** The key map of vim, as it is kept with the editor that it works in. */
interface IVimView {
  cm?: { state?: { vim?: { insertMode?: boolean } | null } };
}

function isVimInserting(view: EditorView | null): boolean {
  return (view as IVimView | null)?.cm?.state?.vim?.insertMode === true;
}
