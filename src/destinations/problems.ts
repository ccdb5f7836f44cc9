import type { BaseIssue, GenericSchema, InferOutput } from 'valibot';
import { safeParse } from 'valibot';
import { UsageError } from '../errors.ts';
import { closest } from '../io/suggest.ts';

/** Something that is wrong in a map, and where: `[0].mappings.eu.destinations[1].overwrite`. */
export interface Problem {
  path: string;
  message: string;
}

/** A JSON object whose fields are not known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** True for an object that is neither a list nor null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** All that a schema finds wrong in a value. */
export function schemaProblems(schema: GenericSchema, value: unknown): Problem[] {
  const result = safeParse(schema, value);
  return (result.issues ?? []).map(problemOf);
}

/**
 * The output of a schema for a value from `source`. Throws UsageError with the path of the first
 * problem and the number of further ones.
 */
export function readAs<Schema extends GenericSchema>(
  schema: Schema,
  value: unknown,
  source: string,
  hint?: string,
): InferOutput<Schema> {
  const result = safeParse(schema, value);
  if (result.success) return result.output;
  const [first, ...more] = result.issues;
  const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
  throw new UsageError(problemText(problemOf(first), source) + rest, hint === undefined ? {} : { hint });
}

/** `map.yaml: [0].cloud: expected a text, found nothing` */
export function problemText({ path, message }: Problem, source: string): string {
  return [source, path, message].filter((part) => part !== '').join(': ');
}

/** The path of a field in the object at `path`. */
export function below(path: string, name: string): string {
  if (!/^[\w-]+$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === '' ? name : `${path}.${name}`;
}

/** The message of a schema: `expected a list, found nothing`. */
export function expected(what: string): (issue: BaseIssue<unknown>) => string {
  return ({ input }) => `expected ${what}, found ${describeValue(input)}`;
}

function problemOf(issue: BaseIssue<unknown>): Problem {
  return { path: pathOf(issue), message: issue.message + misspelt(issue) };
}

/** A key that is missing may be there in another spelling. */
function misspelt({ path }: BaseIssue<unknown>): string {
  const last = path?.at(-1);
  const key = String(last?.key);
  if (!isObject(last?.input) || Object.hasOwn(last.input, key)) return '';
  const near = closest(key, Object.keys(last.input));
  return near === undefined ? '' : ` (${near}: did you mean ${key}?)`;
}

function pathOf({ path }: BaseIssue<unknown>): string {
  return (path ?? []).reduce((text, { type, key }) => {
    return type === 'array' ? `${text}[${String(key)}]` : below(text, String(key));
  }, '');
}

/** What a value is, for messages: `a list`, `nothing`, `"text"`, `5`. */
function describeValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : JSON.stringify(value);
}
