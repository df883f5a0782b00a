/** A first completion to try: a few lines of code, and a button that lets the model go on. */

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Done, Failed } from '../contract';
import { perSecond } from '../shared/text/units';
import type { IChannel, IStream } from '../shared/tokens';
import { EXAMPLE } from './words';

const MOST_TOKENS = 32;

export interface ICompletionProps {
  channel: IChannel;
  model: string;
  trans: TranslationBundle;
}

export function FirstCompletion({ channel, model, trans }: ICompletionProps): React.JSX.Element {
  const [text, setText] = React.useState('');
  const [ended, setEnded] = React.useState<Done | Failed | null>(null);
  const stream = React.useRef<IStream | null>(null);
  React.useEffect(() => () => stream.current?.cancel('user'), []);
  const complete = (): void => {
    setText('');
    setEnded(null);
    stream.current?.cancel('user');
    const request = {
      prefix: EXAMPLE,
      suffix: '\n',
      language: 'python',
      multiline: false,
      max_tokens: MOST_TOKENS,
      scope: 'start',
      model
    };
    const current = channel.stream('tab:complete', request, frame => {
      if (frame.type === 'delta' && stream.current === current) {
        setText(before => before + frame.text);
      }
    });
    stream.current = current;
    void current.ended.then(last => {
      if (stream.current === current) {
        setEnded(last);
      }
    });
  };
  return (
    <>
      <pre className="jp-LocalCoder-Start-code" tabIndex={0} aria-label={trans.__('Example')}>
        {EXAMPLE}
        <span className="jp-LocalCoder-Start-ghost">{text}</span>
      </pre>
      <p role="status" className="jp-LocalCoder-Start-result">
        {ended && resultText(ended, trans)}
      </p>
      <button type="button" className="jp-LocalCoder-button jp-mod-accept" onClick={complete}>
        {ended ? trans.__('Complete again') : trans.__('Complete')}
      </button>
    </>
  );
}

function resultText(ended: Done | Failed, trans: TranslationBundle): string {
  if (ended.type === 'error') {
    return `${ended.error.message} ${ended.error.recovery}`;
  }
  // The embedded engine counts all tokens.
  const written = ended.usage.completion_tokens ?? 0;
  const { total_ms: ms, decode_tokens_per_second: speed } = ended.timings;
  const seconds = (ms / 1000).toFixed(1);
  return speed > 0
    ? trans.__('%1 tokens in %2 s (%3)', written, seconds, perSecond(speed, trans))
    : trans.__('%1 tokens in %2 s', written, seconds);
}
