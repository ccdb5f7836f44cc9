import { Readable } from 'node:stream';
import type { BlobSink } from '../oci/image.ts';
import type { LayoutDelivery } from './layout.ts';
import type { Expected } from '../io/verify.ts';
import { verified } from '../io/verify.ts';

/**
 * Hands one blob of an archive to the sink. The blob's own digest is checked on the way, where the archive has one;
 * `where` names the archive. Throws the sink's error.
 */
export async function deliver(
  { kind, digest, blob }: LayoutDelivery,
  body: Readable,
  size: number,
  sink: BlobSink,
  where: string,
): Promise<void> {
  const blobDigest = blob.descriptor?.digest;
  const stream =
    blob.descriptor === undefined ? body : checked(body, blob.descriptor, `${where}: ${blob.path}`);
  try {
    await sink({ kind, digest, size, stream, ...(blobDigest && { blobDigest }) });
  } catch (error) {
    stream.destroy();
    body.destroy();
    throw error;
  }
}

function checked(body: Readable, expected: Expected, what: string): Readable {
  // Whoever reads meets it; nobody may be reading yet.
  body.on('error', () => undefined);
  return Readable.from(verified(body as AsyncIterable<Buffer>, expected, what), { objectMode: false });
}
