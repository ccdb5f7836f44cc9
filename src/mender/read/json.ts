import type { GenericSchema, InferOutput } from 'valibot';
import { getDotPath, safeParse } from 'valibot';
import { IntegrityError } from '../../errors.ts';
import type { HeaderKeys } from './headerKeys.ts';
import { expectClearKeys } from './headerKeys.ts';

/**
 * Levels of lists and objects in any JSON of an artifact. Printing deeper ones overflows the stack.
 */
const DEEPEST = 1000;

/**
 * The JSON in `content`. Throws IntegrityError, which names `where`, for text that is not JSON or
 * is nested more than 1000 levels deep.
 */
export function parseArtifactJson(content: Uint8Array, where: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(content).toString('utf8'));
  } catch {
    throw new IntegrityError(`${where} is not JSON`);
  }
  if (isDeeperThan(value, DEEPEST)) {
    throw new IntegrityError(`${where} is nested more than ${DEEPEST} levels deep`);
  }
  return value;
}

/**
 * The JSON in `content`, checked by `schema` and `keys`. Throws IntegrityError, which names `where`
 * and the wrong field.
 */
export function parseAs<T extends GenericSchema>(
  schema: T,
  keys: HeaderKeys,
  content: Uint8Array,
  where: string,
): InferOutput<T> {
  const value = parseArtifactJson(content, where);
  expectClearKeys(Buffer.from(content).toString('utf8'), value, keys, where);
  const result = safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = getDotPath(issue);
  const expected = issue.expected === 'never' ? 'no such field' : (issue.expected ?? issue.message);
  throw new IntegrityError(
    `${where}${field === null ? '' : `: ${JSON.stringify(field)}`}: expected ${expected}, found ${issue.received}`,
  );
}

function isDeeperThan(value: unknown, levels: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return true;
    level = level.flatMap((item): unknown[] =>
      typeof item === 'object' && item !== null ? Object.values(item) : [],
    );
  }
  return false;
}

/** The value as an object; empty for anything else. */
export function record(value: unknown): Record<string, unknown> {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? (value as Record<string, unknown>) : {};
}

/** The strings in the list; empty for anything else. */
export function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
