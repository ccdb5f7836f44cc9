import { isMap, parseDocument } from 'yaml';
import { UsageError } from '../../errors.ts';
import { LINEAR } from '../../io/yaml.ts';

type Value = string | readonly string[];

/**
 * The text of a Compose file with the settings that its `x-mender` lacks. Everything else keeps its
 * bytes: comments, quotes and order. Throws UsageError if `x-mender` is written in a form that can't
 * be completed.
 */
export function withSettings(text: string, settings: Readonly<Record<string, Value>>): string {
  const document = parseDocument(text, LINEAR);
  const { contents } = document;
  const block = isMap(contents) ? contents.get('x-mender', true) : undefined;
  const missing = Object.entries(settings).filter(([key]) => !(isMap(block) && block.has(key)));
  if (missing.length === 0) return text;
  if (block === undefined) return `${lines('', missing, 'x-mender:\n')}${text}`;
  const start = isMap(block) && block.flow !== true ? block.range?.[0] : undefined;
  if (start === undefined) {
    throw new UsageError('x-mender: init completes it only if each key has a line of its own', {
      hint: `add ${missing.map(([key, value]) => `${key}: ${valueText(value)}`).join(', ')} to it`,
    });
  }
  // The first key begins here; what is before it on its line is the indentation.
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const indentation = text.slice(lineStart, start);
  return text.slice(0, lineStart) + lines(indentation, missing) + text.slice(lineStart);
}

function lines(indentation: string, entries: readonly (readonly [string, Value])[], head = ''): string {
  const own = head === '' ? indentation : '  ';
  return head + entries.map(([key, value]) => `${own}${key}: ${valueText(value)}\n`).join('');
}

function valueText(value: Value): string {
  if (typeof value === 'string') return scalar(value);
  const [only, ...more] = value.map(scalar);
  return only !== undefined && more.length === 0 ? only : `[${value.map(scalar).join(', ')}]`;
}

/** A YAML scalar: quoted where YAML would read anything but this text. */
export function scalar(value: string): string {
  const isPlain = /^[A-Za-z][\w./-]*$/.test(value) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}
