import type { GenericSchema, InferOutput } from 'valibot';
import { getDotPath, safeParse } from 'valibot';
import { NetworkError } from '../errors.ts';
import { describeText } from '../http/http.ts';
import type { ApiResponse } from './apiMessage.ts';

/**
 * The server, or something that answers in its place, sent what the API does not allow. The same
 * request gets the same answer, so waiting does not help.
 */
export class AnswerError extends NetworkError {}

/**
 * Levels of lists and objects in an answer. Deeper ones overflow the stack when they are printed.
 */
const DEEPEST = 100;

/**
 * The JSON of an answer, checked by a schema. Throws AnswerError, which names the first wrong
 * field, for anything else.
 */
export function readAnswer<Schema extends GenericSchema>(
  { text }: ApiResponse,
  schema: Schema,
  doing: string,
): InferOutput<Schema> {
  const result = safeParse(schema, parseJson(text, doing), { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = getDotPath(issue);
  const where = field === null ? '' : ` ${field}:`;
  throw unexpected(`${doing}:${where} expected ${issue.expected ?? issue.message}, found ${issue.received}`);
}

function parseJson(text: string, doing: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unexpected(`${doing}: expected JSON, found ${describeText(text)}`);
  }
  if (isDeeperThan(value, DEEPEST)) throw unexpected(`${doing}: the answer is nested too deep`);
  return value;
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((one) => isDeeperThan(one, levels - 1));
}

function unexpected(message: string): AnswerError {
  return new AnswerError(message, {
    hint: 'check --mender-host, and whether a proxy or a login page answers in its place',
  });
}
