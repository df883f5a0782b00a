/** An answer within a panel: Markdown that fetches nothing and runs nothing. */

import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import { MarkdownView } from './markdown';

export function AnswerView(props: {
  text: string;
  rendermime: IRenderMimeRegistry;
}): React.JSX.Element {
  const { text, rendermime } = props;
  const host = React.useRef<HTMLDivElement>(null);
  // A widget has to leave before React takes its place away.
  React.useLayoutEffect(() => {
    if (!host.current) {
      return undefined;
    }
    const view = new MarkdownView(rendermime);
    view.setText(text);
    Widget.attach(view, host.current);
    return () => {
      view.dispose();
    };
  }, [text, rendermime]);
  return <div ref={host} className="jp-LocalCoder-Answer" />;
}
