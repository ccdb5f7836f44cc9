import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import type { BlobSink } from '../oci/image.ts';
import type { LayoutDelivery } from '../oci/layout.ts';
import { verifying } from './verify.ts';

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
  const stream =
    blob.descriptor === undefined
      ? body
      : checked(body, verifying(blob.descriptor, `${where}: ${blob.path}`));
  try {
    await sink({ kind, digest, size, stream });
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

function checked(body: Readable, check: ReturnType<typeof verifying>): Readable {
  // An error of `body` destroys `check` with the same error: the sink meets it there.
  pipeline(body, check, () => undefined);
  return check;
}
