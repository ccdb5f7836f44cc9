import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { IntegrityError, messageOf, systemCodeOf } from '../errors.ts';
import { deliver } from './deliver.ts';
import { truncated } from '../tar/tarRead.ts';
import type { Taker } from './tarScan.ts';
import { scanTar } from './tarScan.ts';
import type { BlobSink } from '../oci/image.ts';
import type { LayoutDelivery } from './layout.ts';
import type { LayoutFiles } from './layoutFiles.ts';
import type { Archive } from './archive.ts';
import { locate } from './positioned.ts';

/**
 * Opens a gzipped tar archive. It is unpacked as a stream, once to know what is inside and once for each delivery of
 * blobs: no disk space, a bounded amount of memory. Throws as `scanTar`.
 */
export async function openGzipFile(path: string, where: string, signal?: AbortSignal): Promise<Archive> {
  const files = await scanTar(gunzipped(path, where, signal), where);
  return {
    files,
    deliver: (deliveries, sink, ends) => deliverInPass(path, files, deliveries, sink, where, ends),
  };
}

async function deliverInPass(
  path: string,
  files: LayoutFiles,
  deliveries: readonly LayoutDelivery[],
  sink: BlobSink,
  where: string,
  signal?: AbortSignal,
): Promise<void> {
  const left = new Map<string, LayoutDelivery>();
  for (const delivery of deliveries) {
    const { path: at } = await locate(files, delivery, where);
    if (left.has(at)) throw new IntegrityError(`${where}: ${at} is named as two different layers`);
    left.set(at, delivery);
  }
  if (left.size > 0) await scanTar(gunzipped(path, where, signal), where, takerOf(left, sink, where, signal));
}

function takerOf(
  left: Map<string, LayoutDelivery>,
  sink: BlobSink,
  where: string,
  signal?: AbortSignal,
): Taker {
  return {
    wants: (path) => left.has(path),
    take: async (entry, body) => {
      const delivery = left.get(entry.path);
      left.delete(entry.path);
      if (delivery !== undefined) await deliver(delivery, body, entry.size, sink, where);
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
  // An error of `file` destroys `gunzip` with the same error: the loop meets it there.
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
