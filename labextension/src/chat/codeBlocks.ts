/** The buttons on the code blocks of an answer. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { ICodeBlock } from '../shared/answers/fences';

export type CodeAction = 'copy' | 'insert' | 'replace';

const CLASS = 'jp-LocalCoder-CodeBlock-bar';

/** Put buttons below each block that has none yet. */
export function addCodeButtons(
  root: HTMLElement,
  act: (action: CodeAction, block: ICodeBlock) => void,
  trans: TranslationBundle
): void {
  const labels: [CodeAction, string][] = [
    ['copy', trans.__('Copy')],
    ['insert', trans.__('Insert below')],
    ['replace', trans.__('Replace cell')]
  ];
  [...root.querySelectorAll('pre')].forEach((block, index) => {
    if (block.nextElementSibling?.classList.contains(CLASS)) {
      return;
    }
    // It scrolls sideways, also for who has no mouse.
    block.tabIndex = 0;
    const bar = document.createElement('div');
    bar.className = CLASS;
    bar.setAttribute('role', 'group');
    bar.setAttribute('aria-label', trans.__('Code block %1', index + 1));
    for (const [action, label] of labels) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'jp-LocalCoder-button';
      button.dataset.action = action;
      button.textContent = label;
      button.addEventListener('click', () => {
        const named = /(?:^|\s)language-(\S+)/.exec(block.querySelector('code')?.className ?? '');
        act(action, { code: block.textContent.replace(/\n$/, ''), info: named?.[1] ?? '' });
      });
      bar.append(button);
    }
    block.after(bar);
  });
}
