/**
 * A sanitiser for what models write. JupyterLab's own is for outputs: it lets images through, and fetching
 * one tells its host what the model has read; forms, styles, classes of JupyterLab's own parts, and
 * buttons that run commands. Of an answer only what Markdown makes is kept, and the rest becomes its text.
 */

import type { IRenderMime } from '@jupyterlab/rendermime';

import { DISARMED_TEX } from '../../contract';

const ELEMENTS = new Set(
  (
    'a abbr b blockquote br cite code dd del dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i ins kbd li mark ol p ' +
    'pre q s samp small span strong sub sup table tbody td tfoot th thead tr u ul var'
  ).split(' ')
);
/** What has no text to keep, or text that is no prose. */
const DROPPED = new Set('audio canvas datalist map option select source track video'.split(' '));
const ATTRIBUTES: Record<string, readonly string[]> = {
  a: ['href'],
  li: ['value'],
  ol: ['start', 'type'],
  td: ['align', 'colspan', 'rowspan'],
  th: ['align', 'colspan', 'rowspan', 'scope']
};
/** The classes of highlighted code: those that CodeMirror makes, and the language. */
const CLASS = /^(?:ͼ\w+|language-[\w+#.-]+)$/;
/** A relative address would lead to a page of the Jupyter server itself. */
const LINK = /^(?:https?:|mailto:)/i;
const TEX = new RegExp(`\\\\(?=(?:${DISARMED_TEX.join('|')})(?![A-Za-z]))`, 'g');
const WORD_JOINER = '\u2060';
/** JupyterLab draws such blocks while it parses, before any sanitiser. */
const DIAGRAM = /((?:`{3,}|~{3,})[^\S\n]*)mermaid/gi;

export class InertSanitizer implements IRenderMime.ISanitizer {
  constructor(private readonly _base: IRenderMime.ISanitizer) {}

  readonly allowNamedProperties = false;

  sanitize(dirty: string, options?: IRenderMime.ISanitizerOptions): string {
    // A document of its own, in which nothing is fetched.
    const page = new DOMParser().parseFromString(this._base.sanitize(dirty, options), 'text/html');
    for (const element of [...page.body.querySelectorAll('*')]) {
      disarm(element);
    }
    disarmTeX(page);
    return page.body.innerHTML;
  }
}

/** Markdown of which nothing is drawn but text. */
export function inertMarkdown(text: string): string {
  return text.replace(DIAGRAM, '$1text');
}

/** Prose in which no command of TeX does more than to write. */
export function inertTeX(text: string): string {
  return text.replace(TEX, `\\${WORD_JOINER}`);
}

function disarm(element: Element): void {
  const name = element.localName;
  if (DROPPED.has(name)) {
    element.remove();
    return;
  }
  if (!ELEMENTS.has(name)) {
    const said = element.getAttribute('alt') ?? '';
    element.replaceWith(...(said === '' ? element.childNodes : [said]));
    return;
  }
  for (const attribute of [...element.attributes]) {
    if (attribute.name !== 'class' && !ATTRIBUTES[name]?.includes(attribute.name)) {
      element.removeAttribute(attribute.name);
    }
  }
  const classes = [...element.classList].filter(one => CLASS.test(one));
  element.removeAttribute('class');
  element.classList.add(...classes);
  const target = element.getAttribute('href')?.trim() ?? '';
  element.removeAttribute('href');
  if (LINK.test(target)) {
    element.setAttribute('href', target);
    // Where it leads can be another place than its text says.
    element.setAttribute('title', target);
  }
}

/** What is typeset is text until then. */
function disarmTeX(page: Document): void {
  const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { currentNode: node } = walker;
    if (node.parentElement?.closest('pre, code') === null) {
      node.textContent = inertTeX(node.textContent ?? '');
    }
  }
}
