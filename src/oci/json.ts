import type { GenericIssue, GenericSchema, InferOutput } from 'valibot';
import { custom, minValue, number, pipe, safeInteger, safeParse } from 'valibot';
import { IntegrityError, UnsupportedError } from '../errors.ts';
import type { Digest } from './digest.ts';
import { isDigest } from './digest.ts';

/** A `sha256:` digest. */
export const DIGEST = custom<Digest>(
  (value) => typeof value === 'string' && isDigest(value),
  ({ input }) => `expected a digest sha256:<64 hex digits>, found ${JSON.stringify(input)}`,
);

/** A count of bytes. */
export const BYTES = pipe(
  number(({ received }) => notBytes(received)),
  safeInteger(({ received }) => notBytes(received)),
  minValue(0, ({ received }) => notBytes(received)),
);

function notBytes(found: string): string {
  return `expected a number of bytes, found ${found}`;
}

/** Parses JSON text. Throws IntegrityError that starts with `where`. */
export function parseJson(bytes: Uint8Array | string, where: string): unknown {
  try {
    return JSON.parse(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')) as unknown;
  } catch (error) {
    throw new IntegrityError(`${where}: not valid JSON`, { cause: error });
  }
}

/** Returns what JSON text says, or undefined if it is no JSON. Pure. */
export function parseJsonIfAny(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** As `parseJson`. Throws IntegrityError for anything but an object. */
export function parseObject(bytes: Uint8Array | string, where: string): object {
  const value = parseJson(bytes, where);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new IntegrityError(`${where}: expected a JSON object`);
}

/**
 * Returns a value from outside as the schema describes it. Throws IntegrityError that names
 * `where`, the field and what is wrong with it, and UnsupportedError for a digest of an algorithm
 * that this tool does not compute.
 */
export function checked<TSchema extends GenericSchema>(
  value: unknown,
  schema: TSchema,
  where: string,
): InferOutput<TSchema> {
  const result = safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const message = `${where}: ${describeIssue(issue)}`;
  throw isOtherDigest(issue.input) ? new UnsupportedError(message) : new IntegrityError(message);
}

/** True for a digest of an algorithm that is valid and not supported. */
export function isOtherDigest(value: unknown): boolean {
  return typeof value === 'string' && /^(sha384|sha512|blake3):[0-9a-f]{64,128}$/.test(value);
}

/** valibot's names of types in plain words. */
const TYPES: Record<string, string> = {
  Array: 'a list',
  Object: 'an object',
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
};

/** Says where the fault is and what it is: `layers[0].size: expected number, found "9"`. */
export function describeIssue(issue: GenericIssue): string {
  const path = (issue.path ?? [])
    .map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
  const { message, expected, received } = issue;
  // These are valibot's own messages.
  const isDefault = message.startsWith('Invalid ');
  const wanted = TYPES[expected ?? ''] ?? expected;
  const wrong =
    received === 'undefined' ? 'missing' : `expected ${wanted}, found ${TYPES[received] ?? received}`;
  const text = isDefault ? wrong : message;
  return path === '' ? text : `${path}: ${text}`;
}
