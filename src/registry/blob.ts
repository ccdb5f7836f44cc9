import { Readable } from 'node:stream';
import type { Log } from '../io/log.ts';
import type { RemoteFile } from '../download/remoteFile.ts';
import { resumingBytes } from '../download/resume.ts';
import { verified } from '../io/verify.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { hexOf } from '../oci/digest.ts';
import type { RegistryClient } from './client.ts';
import { missingBlob } from './document.ts';
import type { ImageRepository } from './endpoint.ts';
import { repositoryName } from './endpoint.ts';

/** As long as a pull-through cache may take to fetch a large layer itself. */
const FIRST_BYTE_MS = 600_000;

export interface BlobContext {
  client: RegistryClient;
  log: Log;
}

/** Returns a blob for `download`. Its `open` throws NotFoundError if the registry lacks it. */
export function remoteBlob(
  client: RegistryClient,
  repository: ImageRepository,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
): RemoteFile {
  return {
    what: `${repositoryName(repository)}, blob ${digest}`,
    key: hexOf(digest).slice(0, 16),
    ...{ digest, size },
    open: async (range, signal) => {
      const response = await client.request(repository, {
        method: 'GET',
        path: `blobs/${digest}`,
        headers: range === undefined ? {} : { range },
        firstByteMs: FIRST_BYTE_MS,
        signal,
      });
      if (response.status !== 404) return response;
      response.body.destroy();
      throw missingBlob(repository, digest);
    },
  };
}

/**
 * Returns the bytes of a blob, which are verified while they are read. After a broken connection
 * the same stream resumes where it stopped. Nothing is requested before the first read.
 */
export function openBlob(
  { client, log }: BlobContext,
  repository: ImageRepository,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  signal: AbortSignal | undefined,
): Readable {
  const file = remoteBlob(client, repository, { digest, size });
  const stretch = { start: 0, end: size, part: false, reuse: true };
  const bytes = verified(resumingBytes(file, stretch, log, signal), { digest, size }, file.what);
  return Readable.from(copies(bytes), { objectMode: false });
}

/** Copies each block, as the network fills it again and a stream keeps its chunks. */
async function* copies(blocks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  for await (const block of blocks) yield Buffer.from(block);
}
