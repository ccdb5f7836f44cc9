import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { IntegrityError, ToolError, messageOf } from '../../errors.ts';
import { fileReader } from '../../tar/byteReader.ts';
import { walkTar } from '../../tar/tarRead.ts';
import type { Suffix } from './nested.ts';
import { readHeader } from './readHeader.ts';

const LARGEST_HEADER = 1 << 26;

/**
 * Checks that the file at `path` is an artifact with the name and with data, without reading the data. Throws ToolError
 * otherwise: what wrote it said that all went well.
 */
export async function readBack(path: string, artifactName: string): Promise<void> {
  const file = await open(path);
  try {
    const found = await nameIn(file, path);
    if (found !== artifactName) throw new IntegrityError(`it is named ${JSON.stringify(found)}`);
  } catch (error) {
    throw new ToolError(
      `packing ${artifactName}: mender-artifact wrote a broken artifact: ${messageOf(error)}`,
      {
        hint: 'use --writer embedded',
        cause: error,
      },
    );
  } finally {
    await file.close();
  }
}

async function nameIn(file: FileHandle, path: string): Promise<string> {
  const reader = fileReader(file, (await file.stat()).size);
  let name: string | undefined;
  for await (const entry of walkTar(reader, path)) {
    const [, part, suffix] = /^(header|data\/0000)\.tar(.*)$/.exec(entry.path) ?? [];
    if (part === 'data/0000' && name !== undefined) return name;
    if (part !== 'header' || entry.size > LARGEST_HEADER) continue;
    const content = await reader.read(entry.size);
    name = (await readHeader(chunksOf(content), suffix as Suffix, entry.path)).artifactName;
  }
  throw new IntegrityError('a part is missing');
}

async function* chunksOf(content: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(content);
}
