import type { BaseIssue, GenericSchema } from 'valibot';
import { getDotPath, safeParse, strictObject } from 'valibot';
import { UsageError } from '../errors.ts';

/** A schema for each option of `Options`, and for no other. */
export type SchemaOf<Options> = { readonly [Name in keyof Required<Options>]: GenericSchema };

/**
 * Throws UsageError, which names the option, for an option that does not exist and for a value of
 * another type. The messages of the schemas say what is expected. `given` must be an object;
 * undefined counts as one without options.
 */
export function checkOptions<Options>(given: unknown, schema: SchemaOf<Options>): void {
  const entries: Readonly<Record<string, GenericSchema>> = schema;
  const result = safeParse(strictObject(entries, 'an object'), given ?? {}, { abortEarly: true });
  if (result.success) return;
  const [issue] = result.issues;
  const name = getDotPath(issue) ?? '';
  const missing = issue.type === 'strict_object' ? entries[name] : undefined;
  // The schema of a missing option knows what is expected.
  if (missing !== undefined) checkArgument(name, undefined, missing);
  throw wrongOption(issue, 'options');
}

/** Throws UsageError, which names the argument, unless it fits the schema. */
export function checkArgument(name: string, value: unknown, schema: GenericSchema): void {
  const result = safeParse(schema, value, { abortEarly: true });
  if (!result.success) throw wrongOption(result.issues[0], name);
}

function wrongOption(issue: BaseIssue<unknown>, what: string): UsageError {
  const name = getDotPath(issue) ?? what;
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    return new UsageError(`unknown option ${name}`, { hint: 'docs/api.txt lists the options' });
  }
  return new UsageError(`option ${name}: expected ${issue.message}, found ${describe(issue.input)}`);
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
}
