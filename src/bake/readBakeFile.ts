import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError, messageOf } from '../errors.ts';
import { readUserFile } from '../io/readUserFile.ts';
import { parseYaml } from '../io/yaml.ts';
import type { BakeFile } from './model.ts';
import { parseBakeFile } from './parseBakeFile.ts';

/** The name of a bake file in a folder. */
const BAKE_FILE = 'mender-bake.yaml';

/**
 * Reads the bake file at `path`, or the one of the usual name in the folder `path`. Throws
 * NotFoundError if there is none, and UsageError for invalid YAML and for what `parseBakeFile`
 * refuses.
 */
export async function readBakeFile(path: string): Promise<BakeFile> {
  const found = await stat(path).catch(() => undefined);
  const file = found?.isDirectory() === true ? join(path, BAKE_FILE) : path;
  const hint = 'write it, or name another one with --file';
  const text = (await readUserFile(file, { doing: `reading the bake file ${file}`, hint })).toString('utf8');
  return parseBakeFile(contentOf(text, file), file);
}

function contentOf(text: string, file: string): unknown {
  try {
    return parseYaml(text);
  } catch (error) {
    throw new UsageError(`${file}: ${messageOf(error).split('\n')[0] ?? ''}`, {
      hint: 'correct the text at this place',
    });
  }
}
