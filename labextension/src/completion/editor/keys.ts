/** Shortcuts of ghost text come before those of CodeMirror, which has a use for most keys with an arrow. */

import type { EditorView } from '@codemirror/view';
import { CommandRegistry } from '@lumino/commands';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';

import { isComposing } from '../../shared/ui/keyboard';

/**
 * Run commands by their shortcuts, as they are set, before the editor or JupyterLab hears of the key.
 *
 * @param isShared Whether others are to hear of the key all the same.
 * @param escaped Hears of each Escape that is no such shortcut, and never keeps it from anybody.
 */
export function listen(
  commands: CommandRegistry,
  ids: readonly string[],
  isShared: (command: string, event: KeyboardEvent) => boolean,
  escaped: () => void
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
    if (binding) {
      if (!isShared(binding.command, event)) {
        event.preventDefault();
        event.stopPropagation();
      }
      void commands.execute(binding.command);
    } else if (event.key === 'Escape') {
      escaped();
    }
  };
  // At the window: JupyterLab itself listens at the document before anything else does.
  window.addEventListener('keydown', onKey, true);
  return new DisposableDelegate(() => {
    window.removeEventListener('keydown', onKey, true);
  });
}

/** The key map of vim, as it is kept with the editor that it works in. */
interface IVimView {
  cm?: { state?: { vim?: { insertMode?: boolean } | null } };
}

/**
 * Whether somebody else has a use for an Escape that dismisses a ghost text: the list of completions and the
 * tooltip close with it, and vim leaves its insert mode. None of them leaves the edit mode of a notebook.
 */
export function isEscapeWanted(spot: { readonly view: EditorView } | null): boolean {
  const vim = (spot?.view as IVimView | undefined)?.cm?.state?.vim;
  return (
    vim?.insertMode === true ||
    document.querySelector('.jp-Completer:not(.lm-mod-hidden)') !== null ||
    document.body.classList.contains('jp-mod-tooltip')
  );
}
