import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { fileReader } from '../tar/byteReader.ts';
import type { TarHeader } from '../tar/tarRead.ts';
import { walkTar } from '../tar/tarRead.ts';
import { tarFiles } from './scanArchive.ts';
import type { Archive, ArchivedFile } from './archive.ts';
import { deliverByPosition } from './deliver.ts';

/**
 * Opens an uncompressed tar archive. Its headers are read once, and everything else by position.
 * Throws as `walkTar`.
 */
export async function openTarFile(path: string, where: string): Promise<Archive> {
  const entries = await entriesOf(path, where);
  const content = (file: ArchivedFile, signal?: AbortSignal): Readable => {
    const { offset, size } = entries.get(file.path) ?? { offset: 0, size: 0 };
    if (size === 0) return Readable.from([]);
    const range = { start: offset, end: offset + size - 1, highWaterMark: 1 << 20 };
    return createReadStream(path, signal === undefined ? range : { ...range, signal });
  };
  const files = tarFiles(entries, (entry) => buffer(content(entry)), where);
  return {
    files,
    deliver: (blobs, sink, signal) => deliverByPosition(files, content, blobs, sink, where, signal),
  };
}

async function entriesOf(path: string, where: string): Promise<Map<string, TarHeader>> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const entries = new Map<string, TarHeader>();
    for await (const entry of walkTar(fileReader(file, size), where)) entries.set(entry.path, entry);
    return entries;
  } finally {
    await file.close();
  }
}
