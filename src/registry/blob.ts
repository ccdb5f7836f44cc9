import { Readable } from 'node:stream';
import type { Log } from '../io/log.ts';
import { resumingBytes } from '../download/resume.ts';
import { verified } from '../io/verify.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { RegistryClient } from './client.ts';
import { missingBlob } from './document.ts';
import type { Repository } from './endpoint.ts';

/** As long as a pull-through cache may take to fetch a large layer itself. */
const FIRST_BYTE_MS = 600_000;

export interface BlobContext {
  client: RegistryClient;
  log: Log;
}

/**
 * Returns the bytes of a blob, which are verified while they are read. After a broken connection
 * the same stream resumes where it stopped. Nothing is requested before the first read.
 */
export function openBlob(
  { client, log }: BlobContext,
  repository: Repository,
  { digest, size }: Descriptor,
  signal: AbortSignal | undefined,
): Readable {
  const what = `${repository.registry}/${repository.repository}, blob ${digest}`;
  const open = async (range: string | undefined) => {
    const headers: Record<string, string> = range === undefined ? {} : { range };
    const response = await client.request(repository, {
      method: 'GET',
      path: `blobs/${digest}`,
      headers,
      firstByteMs: FIRST_BYTE_MS,
      signal,
    });
    if (response.status !== 404) return response;
    response.body.destroy();
    throw missingBlob(repository, digest);
  };
  const stretch = { start: 0, end: size, part: false, reuse: true };
  const bytes = verified(resumingBytes({ what, open }, stretch, log, signal), { digest, size }, what);
  return Readable.from(copies(bytes), { objectMode: false });
}

/** Copies each block, as the network fills it again and a stream keeps its chunks. */
async function* copies(blocks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  for await (const block of blocks) yield Buffer.from(block);
}
