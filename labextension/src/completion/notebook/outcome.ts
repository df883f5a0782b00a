/** How the last run of a cell ended, and what kind of thing it showed; never what it showed. Pure. */

/** The part of an output that is looked at. */
export interface IOutputView {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  toJSON(): unknown;
}

export interface IOutcome {
  /** Name of the exception; empty where there was none. */
  readonly error: string;
  /** Such as `DataFrame` or `figure`. */
  readonly hint: string;
}

/** `<sklearn.linear_model.LinearRegression object at 0x…>`, `<Figure size …>`, `array(…`: the name of a type. */
const TYPE = /^<(?:[\w.]+\.)?(\w+) object at 0x|^<(?:[\w.]+\.)?([A-Z]\w*)[ :>]|^([A-Za-z_]\w*)\(/;
const NAME_CHARS = 80;

export function outcome(outputs: Iterable<IOutputView>): IOutcome {
  let error = '';
  let hint = '';
  for (const output of outputs) {
    if (output.type === 'error') {
      const { ename } = output.toJSON() as { ename?: unknown };
      error = typeof ename === 'string' ? ename.slice(0, NAME_CHARS) : 'Error';
    } else if (output.type === 'execute_result' || output.type === 'display_data') {
      hint = kindOf(output.data) || hint;
    }
  }
  return { error, hint };
}

function kindOf(data: Readonly<Record<string, unknown>>): string {
  const html = text(data['text/html']);
  if (/class="[^"]*\bdataframe\b/.test(html)) {
    return 'DataFrame';
  }
  const plain = text(data['text/plain']);
  const found = TYPE.exec(plain);
  const name = found?.[1] ?? found?.[2] ?? found?.[3];
  if (name) {
    return name.slice(0, NAME_CHARS);
  }
  if ('image/png' in data || 'image/svg+xml' in data) {
    return 'figure';
  }
  const special = Object.keys(data).find(type => type.startsWith('application/vnd.'));
  return special ? special.replace(/^application\/vnd\.|[.+].*$/g, '').slice(0, NAME_CHARS) : '';
}

/** The beginning of a text in a bundle, where Jupyter allows a list of lines as well. */
function text(value: unknown): string {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first.slice(0, 1000) : '';
}
