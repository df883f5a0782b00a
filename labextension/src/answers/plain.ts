/** Text without what would act on a terminal, or show another order than it has. Pure. */

// The escape sequences of terminals, of which tracebacks are full.
// eslint-disable-next-line no-control-regex
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b\n]*(?:\u0007|\u001b\\)?)/g;
// Code that reads otherwise than it runs is made with the marks for right-to-left text.
// eslint-disable-next-line no-control-regex
const ACTING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** The same text with its lines, tabs and words, and nothing that cannot be seen but acts. */
export function plain(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(ESCAPES, '').replace(ACTING, '');
}
