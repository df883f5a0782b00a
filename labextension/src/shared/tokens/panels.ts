/** The sidebar, to which plugins add tabs. */

import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';

/** A tab of the sidebar. */
export interface IPanelSection {
  /** Unique among the sections. */
  id: string;
  /** The word on the tab. */
  label: string;
  /** Sections stand in the order of their ranks; equal ones in the order in which they were added. */
  rank: number;
  /** Makes the content, when the tab is shown for the first time. */
  create(): Widget | Promise<Widget>;
}

/** The sidebar of this extension: a panel with tabs, to which plugins add theirs. */
export interface IPanels {
  /** Add a section; disposing of the answer takes it away. */
  add(section: IPanelSection): IDisposable;
  /** Open the sidebar at a section, and give it the focus. */
  show(id: string): void;
  /** Whether a section is before the person's eyes. */
  isShown(id: string): boolean;
  /** A section has come before the person's eyes: its id. */
  readonly shown: ISignal<IPanels, string>;
  /** Say on the tab of a section, and on the sidebar's icon, that so many things in it are new. */
  setNew(id: string, count: number): void;
}

export const IPanels = new Token<IPanels>(
  'jupyter-localcoder:IPanels',
  'The LocalCoder sidebar, to which sections can be added.'
);
