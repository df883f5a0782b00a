/** What came of something that was asked for: a sentence, a way out, and a way to be rid of it. */

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ActionState, INote } from './actionState';

export interface INoteProps {
  note: INote;
  trans: TranslationBundle;
  /** Load it although it does not fit. */
  onForce?: () => void;
  onDismiss: () => void;
}

export function Note({ note, trans, onForce, onDismiss }: INoteProps): React.JSX.Element {
  return (
    <div className="jp-LocalCoder-Note" data-severity={note.severity}>
      <p>{note.message}</p>
      {note.recovery !== '' && <p>{note.recovery}</p>}
      <div className="jp-LocalCoder-buttons">
        {note.canForce && onForce && (
          <button type="button" className="jp-LocalCoder-button" onClick={onForce}>
            {trans.__('Load anyway')}
          </button>
        )}
        <button type="button" className="jp-LocalCoder-button" onClick={onDismiss}>
          {trans.__('Dismiss')}
        </button>
      </div>
    </div>
  );
}

export interface INoteOfProps {
  actionState: ActionState;
  /** What it was asked for. */
  id: string;
  trans: TranslationBundle;
  onForce?: () => void;
}

/** The note that is kept under an id, while there is one. */
export function NoteOf({ actionState, id, ...rest }: INoteOfProps): React.JSX.Element | null {
  const note = actionState.note(id);
  return note ? (
    <Note
      {...rest}
      note={note}
      onDismiss={() => {
        actionState.dismiss(id);
      }}
    />
  ) : null;
}
