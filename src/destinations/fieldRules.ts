/** Something in a map that is wrong, and where: `[0].mappings.eu.destinations[1].overwrite`. */
export interface Problem {
  path: string;
  message: string;
}

type FieldKind = 'text' | 'truth' | 'whole' | 'object' | 'texts';

interface FieldRule {
  kind: FieldKind;
  required?: boolean;
}

export type FieldRules = Readonly<Record<string, FieldRule>>;

const EXPECTED: Readonly<Record<FieldKind, string>> = {
  text: 'a text',
  truth: 'true or false',
  whole: 'a whole number',
  object: 'an object',
  texts: 'an object of texts',
};

/** What is wrong with the fields of an object; null is the same as a missing field, and unknown fields are fine. */
export function checkFields(value: JsonObject, path: string, rules: FieldRules): Problem[] {
  return Object.entries(rules).flatMap(([name, rule]) => checkField(value[name], below(path, name), rule));
}

function checkField(value: unknown, path: string, { kind, required = false }: FieldRule): Problem[] {
  const isMissing = value === undefined || value === null;
  if (isMissing ? !required : fits(value, kind)) return [];
  return kind === 'texts' && isObject(value)
    ? checkTexts(value, path)
    : [unexpected(path, EXPECTED[kind], value)];
}

function checkTexts(value: JsonObject, path: string): Problem[] {
  const wrong = Object.entries(value).filter(([, one]) => typeof one !== 'string');
  return wrong.map(([name, one]) => unexpected(below(path, name), EXPECTED.text, one));
}

function fits(value: unknown, kind: FieldKind): boolean {
  if (kind === 'text') return typeof value === 'string';
  if (kind === 'truth') return typeof value === 'boolean';
  // StArMap takes true for 1 here.
  if (kind === 'whole') return Number.isSafeInteger(value) || typeof value === 'boolean';
  return (
    isObject(value) && (kind === 'object' || Object.values(value).every((one) => typeof one === 'string'))
  );
}

/** `expected a list, found nothing` */
export function unexpected(path: string, expected: string, value: unknown): Problem {
  return { path, message: `expected ${expected}, found ${describeValue(value)}` };
}

/** The path of a field in the object at `path`. */
export function below(path: string, name: string): string {
  if (!/^[\w-]+$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === '' ? name : `${path}.${name}`;
}

/** A JSON object whose fields are not known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** True for an object that is neither a list nor null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a value is, for messages: `a list`, `nothing`, `"text"`, `5`. */
function describeValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : JSON.stringify(value);
}
