import { readFile, writeFile } from 'node:fs/promises';
import { systemCodeOf } from '../errors.ts';
import { fileError, writeAtomically } from '../io/files.ts';
import { digestOf } from '../oci/digest.ts';

/**
 * The JSON object at `path`; undefined if there is none or it is damaged, as any file of a cache may be. An object without
 * a sum (written by hand or by another tool) is damaged too, unless `sumNeeded` is false.
 */
export async function readDocument(path: string, sumNeeded = true): Promise<object | undefined> {
  try {
    const { sum, ...value } = JSON.parse(await readFile(path, 'utf8')) as { sum?: string };
    if (sum === undefined ? sumNeeded : sum !== sumOf(value)) return undefined;
    return value;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw fileError(error, `reading ${path}`);
  }
}

/** Writes a JSON object, with the sum that betrays damage, whole or not at all. */
export async function writeDocument(path: string, value: object): Promise<void> {
  const text = JSON.stringify({ ...value, sum: sumOf(value) }, null, 2);
  await writeAtomically(path, (temporary) => writeFile(temporary, `${text}\n`));
}

function sumOf(value: object): string {
  return digestOf(JSON.stringify(value));
}
