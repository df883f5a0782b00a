/** The menu behind the status-bar item. */

import { MenuSvg } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';

/** Open a menu of those of the commands that exist, above a button; the focus returns to the button. */
export function openMenu(
  commands: CommandRegistry,
  ids: readonly string[],
  button: HTMLElement
): void {
  // With the mark of what is on: Lumino's own menu has none.
  const menu = new MenuSvg({ commands });
  for (const command of ids.filter(id => commands.hasCommand(id))) {
    menu.addItem({ command });
  }
  menu.aboutToClose.connect(() => {
    button.setAttribute('aria-expanded', 'false');
    button.focus();
    // Its chosen command runs after this.
    setTimeout(() => {
      menu.dispose();
    });
  });
  button.setAttribute('aria-expanded', 'true');
  const { left, top } = button.getBoundingClientRect();
  menu.open(left, top);
  menu.activateNextItem();
}
