import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { IntegrityError, messageOf, systemCodeOf } from '../errors.ts';
import { deliverBlob, locateBlob } from './deliver.ts';
import { truncated } from '../tar/tarRead.ts';
import type { Selection } from './scanArchive.ts';
import { scanArchive } from './scanArchive.ts';
import type { BlobSink } from '../oci/image.ts';
import type { Archive, ArchiveFiles, WantedBlob } from './archive.ts';

/**
 * Opens a gzipped tar archive. It is unpacked as a stream, once to read what is inside and once for
 * each delivery of blobs. That takes no disk space and a bounded amount of memory. Throws as
 * `scanArchive`.
 */
export async function openGzipFile(path: string, where: string, signal?: AbortSignal): Promise<Archive> {
  const files = await scanArchive(gunzipped(path, where, signal), where);
  return {
    files,
    deliver: (blobs, sink, ends) => deliverInPass(path, files, blobs, sink, where, ends),
  };
}

async function deliverInPass(
  path: string,
  files: ArchiveFiles,
  blobs: readonly WantedBlob[],
  sink: BlobSink,
  where: string,
  signal?: AbortSignal,
): Promise<void> {
  const left = new Map<string, WantedBlob>();
  for (const blob of blobs) {
    const { path: at } = await locateBlob(files, blob, where);
    if (left.has(at)) throw new IntegrityError(`${where}: ${at} is named as two different layers`);
    left.set(at, blob);
  }
  if (left.size > 0)
    await scanArchive(gunzipped(path, where, signal), where, selectionOf(left, sink, where, signal));
}

function selectionOf(
  left: Map<string, WantedBlob>,
  sink: BlobSink,
  where: string,
  signal?: AbortSignal,
): Selection {
  return {
    wants: (path) => left.has(path),
    take: async (entry, body) => {
      const blob = left.get(entry.path);
      left.delete(entry.path);
      if (blob !== undefined) await deliverBlob(blob, body, entry.size, sink, where);
      signal?.throwIfAborted();
    },
    done: () => left.size === 0,
  };
}

async function* gunzipped(path: string, where: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: 1 << 18 });
  const file = createReadStream(path, {
    highWaterMark: 1 << 18,
    ...(signal === undefined ? {} : { signal }),
  });
  // An error of `file` destroys `gunzip` with the same error, so the loop throws it.
  pipeline(file, gunzip, () => undefined);
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } catch (error) {
    signal?.throwIfAborted();
    throw gunzipError(error, where);
  }
}

function gunzipError(error: unknown, where: string): unknown {
  const code = systemCodeOf(error) ?? '';
  if (code === 'Z_BUF_ERROR') return truncated(where);
  if (!code.startsWith('Z_')) return error;
  return new IntegrityError(`${where}: the gzip stream is damaged (${messageOf(error)})`, {
    hint: 'copy or make the archive again',
  });
}
