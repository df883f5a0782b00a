/** The text of an answer, rendered by JupyterLab, with buttons on its code once it is complete. */

import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import type { ICodeBlock } from '../shared/answers/fences';
import { MarkdownView } from '../shared/answers/markdown';
import { addCodeButtons, type CodeAction } from './codeBlocks';

export interface IAnswerProps {
  text: string;
  /** Whether no more of it comes. */
  isOver: boolean;
  onCode: (action: CodeAction, block: ICodeBlock) => void;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
}

export function Answer(props: IAnswerProps): React.JSX.Element {
  const host = React.useRef<HTMLDivElement>(null);
  const view = React.useRef<MarkdownView | null>(null);
  const rendered = React.useRef<HTMLElement | null>(null);
  const latest = React.useRef(props);
  latest.current = props;

  const addButtons = (): void => {
    const { isOver, onCode, trans } = latest.current;
    if (isOver && rendered.current) {
      addCodeButtons(rendered.current, onCode, trans);
    }
  };
  // Not a passive effect: the widget must be disposed of before React takes its node out of the page.
  React.useLayoutEffect(() => {
    const made = new MarkdownView(props.rendermime, node => {
      rendered.current = node;
      addButtons();
    });
    view.current = made;
    if (host.current) {
      Widget.attach(made, host.current);
    }
    return () => {
      made.dispose();
    };
  }, []);
  React.useEffect(() => {
    view.current?.setText(props.text);
    addButtons();
  }, [props.text, props.isOver]);
  return <div ref={host} />;
}
