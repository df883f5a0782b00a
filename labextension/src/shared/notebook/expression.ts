/** The value of an expression that a kernel is asked for, without a trace in its history. */

import type { Kernel } from '@jupyterlab/services';

/**
 * Ask a kernel for the value of an expression; the reply has it under the name.
 *
 * @param code Runs before it, such as a definition that the expression uses.
 */
export function requestValue(
  kernel: Pick<Kernel.IKernelConnection, 'requestExecute'>,
  name: string,
  expression: string,
  code: string
): ReturnType<Kernel.IKernelConnection['requestExecute']> {
  return kernel.requestExecute({
    code,
    silent: true,
    store_history: false,
    user_expressions: { [name]: expression },
    allow_stdin: false,
    stop_on_error: false
  });
}

/**
 * The JSON in an expression's result, `null` where it is not what it should be.
 *
 * The result is the printed form of a string: quotes around base64, and in it JSON. So it holds nothing
 * that has to be unescaped, whatever the language.
 */
export function printedJson(result: unknown): unknown {
  try {
    const { status, data } = result as { status: string; data: Record<string, unknown> };
    const printed = data['text/plain'];
    if (status !== 'ok' || typeof printed !== 'string') {
      return null;
    }
    const bytes = Uint8Array.from(atob(printed.replace(/^['"]|['"]$/g, '')), character =>
      character.charCodeAt(0)
    );
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    return null;
  }
}

/** A value as JSON in base64, for an expression. */
export function encodedJson(value: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''));
}
