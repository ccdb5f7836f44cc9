import type { Pair } from 'yaml';
import { isPair, parseDocument, visit } from 'yaml';
import { withPorts } from './serviceProject.ts';

type Forms = Record<string, readonly string[]>;
/** What is written in the place of a scalar. */
type Write = (scalar: string) => string;

/** Scalars with these characters have a meaning of their own in a variable or in a `.env` file. */
const SPECIAL = /[$}\\'"\n]/;

/** Keys below an attribute whose values Compose takes from no variable. Their scalars stay. */
export const NO_VARIABLE: Record<string, readonly string[]> = {
  blkio_config: ['weight'],
  depends_on: ['required'],
  networks: ['priority', 'gw_priority'],
  use_api_socket: ['use_api_socket'],
  volumes: ['mode'],
};

/** The same for resources. */
const NO_VARIABLE_IN_RESOURCES = ['context_size'];

/** Where Compose takes only some ways to write a number from a variable. */
const OCTAL = /^0o/;

/** The forms of attributes, with scalars written by `write`. Each attribute is on its own line. */
export function formsWith(write: Write, forms: Forms): Forms {
  return mapForms(forms, (text, attribute, index) => {
    const numbered = withPorts(text, `0${index}`);
    const value = valueWith(write, numbered, NO_VARIABLE[attribute] ?? []) as object;
    const lines = Object.entries(value).map(([key, one]) => `${key}: ${JSON.stringify(one)}`);
    return lines.join('\n');
  });
}

/** The same for forms of resources, which are values. An empty one stays empty. */
export function resourcesWith(write: Write, forms: Forms): Forms {
  return mapForms(forms, (text) =>
    text === '' ? '' : JSON.stringify(valueWith(write, text, NO_VARIABLE_IN_RESOURCES)),
  );
}

/** Each scalar as the default of a variable that nobody sets. */
export const asDefault: Write = (scalar) => `\${NOBODY_SETS_IT:-${scalar}}`;

/** Each scalar as a variable, and the file that sets all of them. */
export function inEnvFile(): { write: Write; file: () => string } {
  const names = new Map<string, string>();
  const write = (scalar: string): string => {
    const name = names.get(scalar) ?? `V${names.size}`;
    names.set(scalar, name);
    return `\${${name}}`;
  };
  return { write, file: () => [...names].map(([scalar, name]) => `${name}='${scalar}'\n`).join('') };
}

function mapForms(forms: Forms, change: (text: string, attribute: string, index: number) => string): Forms {
  return Object.fromEntries(
    Object.entries(forms).map(([attribute, texts]) => [
      attribute,
      texts.map((one, index) => change(one, attribute, index)),
    ]),
  );
}

function valueWith(write: Write, text: string, fixed: readonly string[]): unknown {
  const document = parseDocument(text);
  visit(document, {
    Scalar(key, node, path) {
      const scalar = node.source ?? '';
      if (key === 'key' || node.value === null || scalar === '' || SPECIAL.test(scalar)) return;
      if (OCTAL.test(scalar) || fixed.includes(keyOf(path.findLast(isPair)))) return;
      node.value = write(scalar);
      node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toJS();
}

function keyOf(pair: Pair | undefined): string {
  return String(pair?.key);
}
