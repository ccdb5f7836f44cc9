import { utimes, writeFile } from 'node:fs/promises';
import type { GenericSchema, InferOutput } from 'valibot';
import { safeParse } from 'valibot';
import { readUserFileIfAny } from '../io/readUserFile.ts';
import { digestOf } from '../oci/digest.ts';
import { readOwnFile, writeInCache } from './files.ts';

/**
 * Returns the JSON object at `path`, or undefined if it is missing or damaged. An object without
 * its sum counts as damaged. Throws UsageError if the file can't be read.
 */
export async function readDocument(path: string): Promise<object | undefined> {
  const bytes = await readOwnFile(path);
  return bytes && parseDocument(bytes.toString('utf8'), true);
}

/** Like `readDocument`, for a file outside of the cache: it may be a link, and lack the sum. */
export async function readDocumentOutside(path: string): Promise<object | undefined> {
  const bytes = await readUserFileIfAny(path);
  return bytes && parseDocument(bytes.toString('utf8'), false);
}

function parseDocument(text: string, sumNeeded: boolean): object | undefined {
  try {
    const { sum, ...value } = JSON.parse(text) as { sum?: string };
    if (sum === undefined ? sumNeeded : sum !== sumOf(value)) return undefined;
    return value;
  } catch (error) {
    // Deep nesting ends in a RangeError.
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError)
      return undefined;
    throw error;
  }
}

/** Like `readDocument`, but returns undefined as well if the object does not fit the schema. */
export async function readNote<T extends GenericSchema>(
  path: string,
  schema: T,
): Promise<InferOutput<T> | undefined> {
  const document = await readDocument(path);
  const result = safeParse(schema, document);
  return result.success ? result.output : undefined;
}

/**
 * Writes a JSON object with a sum that reveals damage. The file is replaced whole or not at all.
 */
export async function writeDocument(path: string, value: object): Promise<void> {
  const text = JSON.stringify({ ...value, sum: sumOf(value) }, null, 2);
  await writeInCache(path, (temporary) => writeFile(temporary, `${text}\n`, { mode: 0o600 }));
}

function sumOf(value: object): string {
  return digestOf(JSON.stringify(value));
}

/** Marks a file as used now. Pruning removes the least recently used files first. */
export async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}
