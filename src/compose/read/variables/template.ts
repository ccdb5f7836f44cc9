/**
 * Compose's interpolation: `$NAME`, `${NAME}` and the operators `:-` `-` `:?` `?` `:+` `+`, which
 * may be nested. `$$` is a dollar sign, and so is a `$` that starts no expression.
 * https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md
 */

/** Returns the value of a variable, or undefined if it is not set. */
export type Lookup = (name: string) => string | undefined;

/** An invalid template or a missing required variable. The message names no position. */
export class TemplateError extends Error {}

type Operator = '' | ':-' | '-' | ':?' | '?' | ':+' | '+';

type Part =
  | { kind: 'text'; source: string; text: string }
  | { kind: 'variable'; source: string; name: string; operator: Operator; operand: Part[] };

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const OPERATOR = /:[-?+]|[-?+]/y;
const DEEPEST = 50;

/** Characters; the longest text that variables may make. */
const LONGEST = 8 << 20;

/** Fills in all variables. Calls `unset` for each variable with neither a value nor a default. */
export function interpolate(template: string, lookup: Lookup, unset?: (name: string) => void): string {
  return expandAll(partsOf(template), lookup, unset);
}

function expandAll(parts: readonly Part[], lookup: Lookup, unset?: (name: string) => void): string {
  const texts: string[] = [];
  let length = 0;
  for (const part of parts) {
    const text = part.kind === 'text' ? part.text : expand(part, lookup, unset);
    length += text.length;
    if (length > LONGEST) throw new TemplateError(`variables make a text of more than ${LONGEST} characters`);
    texts.push(text);
  }
  return texts.join('');
}

/**
 * Fills in only the expressions that name a variable for which `isBaked` is true. The result is a
 * template that means the same wherever the other variables have the same values.
 */
export function interpolatePartly(
  template: string,
  lookup: Lookup,
  isBaked: (name: string) => boolean,
): string {
  const isFilled = (part: Part) => part.kind === 'variable' && namesOf([part]).some(isBaked);
  const parts = partsOf(template);
  if (!parts.some(isFilled)) return template;
  return parts
    .map((part) => {
      if (part.kind === 'text') return part.source;
      if (isFilled(part)) return escapeDollars(expand(part, lookup));
      // With braces, since a filled-in text after `$NAME` could continue the name.
      return part.source.startsWith('${') ? part.source : `\${${part.name}}`;
    })
    .join('');
}

/** A template that expands to exactly this text. */
export function escapeDollars(text: string): string {
  return text.replaceAll('$', '$$$$');
}

/** Every variable that the template names, also inside defaults. */
export function namesIn(template: string): string[] {
  return namesOf(partsOf(template));
}

function namesOf(parts: readonly Part[]): string[] {
  return parts.flatMap((part) => (part.kind === 'text' ? [] : [part.name, ...namesOf(part.operand)]));
}

function expand(part: Part & { kind: 'variable' }, lookup: Lookup, unset?: (name: string) => void): string {
  const value = lookup(part.name);
  const isPresent = value !== undefined && (value !== '' || !part.operator.startsWith(':'));
  const operand = () => expandAll(part.operand, lookup, unset);
  if (part.operator.endsWith('+')) return isPresent ? operand() : '';
  if (isPresent) return value;
  if (part.operator.endsWith('-')) return operand();
  if (part.operator.endsWith('?')) throw new TemplateError(missing(part.name, messageOf(part.operand)));
  if (value === undefined) unset?.(part.name);
  return '';
}

/** The text behind `:?` as it is written: an error shows no value of another variable. */
function messageOf(operand: readonly Part[]): string {
  return operand.map((part) => (part.kind === 'text' ? part.text : part.source)).join('');
}

function missing(name: string, message: string): string {
  return `required variable ${name} is missing a value${message === '' ? '' : `: ${message}`}`;
}

function partsOf(template: string, depth = 0): Part[] {
  if (depth > DEEPEST) throw new TemplateError('variables are nested too deeply');
  const parts: Part[] = [];
  let at = 0;
  while (at < template.length) {
    const dollar = template.indexOf('$', at);
    const end = dollar < 0 ? template.length : dollar;
    if (end > at)
      parts.push({ kind: 'text', source: template.slice(at, end), text: template.slice(at, end) });
    if (dollar < 0) break;
    const part = partAt(template, dollar, depth);
    parts.push(part);
    at = dollar + part.source.length;
  }
  return parts;
}

function partAt(template: string, dollar: number, depth: number): Part {
  const next = template[dollar + 1];
  if (next === '$') return { kind: 'text', source: '$$', text: '$' };
  if (next === '{') return bracedAt(template, dollar, depth);
  const name = matchAt(NAME, template, dollar + 1);
  if (name === undefined) return { kind: 'text', source: '$', text: '$' };
  return { kind: 'variable', source: `$${name}`, name, operator: '', operand: [] };
}

function bracedAt(template: string, dollar: number, depth: number): Part {
  const end = closingBrace(template, dollar + 2);
  const name = matchAt(NAME, template, dollar + 2);
  if (end === undefined || name === undefined) throw invalid();
  const afterName = dollar + 2 + name.length;
  const operator = (matchAt(OPERATOR, template, afterName) ?? '') as Operator;
  const operand = template.slice(afterName + operator.length, end);
  if (operator === '' && operand !== '') throw invalid();
  const source = template.slice(dollar, end + 1);
  return { kind: 'variable', source, name, operator, operand: partsOf(operand, depth + 1) };
}

function closingBrace(template: string, from: number): number | undefined {
  let open = 1;
  for (let at = from; at < template.length; at += 1) {
    if (template.startsWith('${', at)) open += 1;
    else if (template[at] === '}') open -= 1;
    if (open === 0) return at;
  }
  return undefined;
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** Does not quote the text, which may be a password with a `$`. */
function invalid(): TemplateError {
  return new TemplateError('invalid interpolation: expected ${NAME} or the like; a plain $ is written $$');
}
