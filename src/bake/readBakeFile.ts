import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readYamlFile } from '../io/yaml.ts';
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
  const content = await readYamlFile(file, { doing: `reading the bake file ${file}`, hint });
  return parseBakeFile(content, file);
}
