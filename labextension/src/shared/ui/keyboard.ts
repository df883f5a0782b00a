/** What a key press means to a person who writes with an input method. */

import { DisposableDelegate, type IDisposable } from '@lumino/disposable';

/** What a browser reports instead of the key, while an input method has it. */
const KEY_OF_INPUT_METHOD = 229;

/**
 * Whether a key belongs to the input method: it chooses, confirms or drops a candidate, and does nothing else.
 *
 * Safari ends the composition before it reports the key that has ended it; its code still tells.
 */
export function isComposing(event: Pick<KeyboardEvent, 'isComposing' | 'keyCode'>): boolean {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- Nothing else tells it in Safari.
  return event.isComposing || event.keyCode === KEY_OF_INPUT_METHOD;
}

/**
 * Let nobody but the input method have its keys, in text boxes for which `isOurs` answers true.
 *
 * Enter then sends nothing, Escape closes nothing and arrows choose nothing, whatever listens for them.
 */
export function shieldTextBoxes(isOurs: (box: Element) => boolean): IDisposable {
  const onKey = (event: KeyboardEvent): void => {
    const { target } = event;
    const isBox = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
    if (isBox && isComposing(event) && isOurs(target)) {
      event.stopPropagation();
      if (event.key === 'Enter') {
        event.preventDefault(); // A form would be submitted. The input method has had the key already.
      }
    }
  };
  window.addEventListener('keydown', onKey, true);
  return new DisposableDelegate(() => {
    window.removeEventListener('keydown', onKey, true);
  });
}
