import { redact } from '../../../io/redact.ts';

/** HTML that is safe to put into a page. Only `markup` and `fixed` make it. */
export interface Html {
  readonly html: string;
}

type Part = Html | string | number | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
/** Control characters and marks of writing direction: a name must not change how others look. */
const CONTROLS = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * HTML with the parts filled in. Texts are escaped, so that no name in an image can be markup or
 * leave an attribute in quotes. Lists are joined.
 */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return {
    html: strings.map((text, index) => text + textOf(parts[index] ?? '')).join(''),
  };
}

/** Text of this tool that is HTML already, such as a style sheet. Never text from outside. */
export function fixed(text: string): Html {
  return { html: text };
}

/** Nothing. */
export const nothing: Html = fixed('');

function textOf(part: Part): string {
  if (typeof part === 'number') return String(part);
  if (typeof part === 'string') return escaped(part);
  return 'html' in part ? part.html : part.map(textOf).join('');
}

function escaped(text: string): string {
  return visible(text).replace(/[&<>"']/g, (one) => ENTITIES[one] ?? one);
}

/** The text as readers see it: redacted, and with escapes for characters that have no form. */
export function visible(text: string): string {
  return redact(text).replace(CONTROLS, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
