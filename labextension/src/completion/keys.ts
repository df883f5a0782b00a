/** Shortcuts of ghost text come before those of CodeMirror, which has a use for most keys with an arrow. */

import { CommandRegistry } from '@lumino/commands';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';

/**
 * Run these commands by their shortcuts, as they are set, before the editor hears of the key.
 *
 * `escaped` hears of each Escape, and never keeps it from anybody: it leaves the edit mode of a notebook
 * and the insert mode of vim as it always does.
 */
export function listen(
  commands: CommandRegistry,
  ids: readonly string[],
  escaped: () => void
): IDisposable {
  const onKey = (event: KeyboardEvent): void => {
    const { target } = event;
    if (event.key === 'Escape') {
      escaped();
      return;
    }
    if (!(target instanceof Element) || event.isComposing) {
      return;
    }
    const keystroke = CommandRegistry.keystrokeForKeydownEvent(event);
    const binding = commands.keyBindings.find(
      ({ command, keys, selector }) =>
        ids.includes(command) &&
        keys.length === 1 &&
        keys[0] === keystroke &&
        target.closest(selector) !== null
    );
    if (binding && commands.isEnabled(binding.command)) {
      event.preventDefault();
      event.stopPropagation();
      void commands.execute(binding.command);
    }
  };
  document.addEventListener('keydown', onKey, true);
  return new DisposableDelegate(() => {
    document.removeEventListener('keydown', onKey, true);
  });
}
