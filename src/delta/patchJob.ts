import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { IntegrityError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import { decodePatch } from '../patch/decodePatch.ts';
import type { PatchHeader } from '../patch/format.ts';
import { memoryOf } from '../patch/format.ts';
import type { LayerFile } from './layer.ts';
import { encodePatch } from './patch/encodePatch.ts';
import { PatchSourceFile } from './patchSource.ts';

/**
 * A patch may read this many times the bytes of its two layers. One of copies in their order reads
 * them once; one of thousands of small copies from everywhere takes a device minutes.
 */
const MOST_READS = 32;

/** Work on the patch at `path`: `encode` writes it, `decode` proves it. */
export interface PatchJob {
  kind: 'encode' | 'decode';
  from: LayerFile;
  to: LayerFile;
  path: string;
}

/**
 * Does the job in this thread, which it blocks for seconds. Throws IntegrityError for a patch that
 * does not make exactly `to`, UnsupportedError for one that reads too much of `from`, and the
 * system's error if reading or writing fails.
 */
export async function doPatchJob({ kind, from, to, path }: PatchJob): Promise<void> {
  if (kind === 'encode') {
    await encodePatch([from], to, path);
    return;
  }
  const { digest } = await decodePatchToDigest(createReadStream(path), from, to.size);
  if (digest === to.diffID) return;
  throw new IntegrityError(`proving a patch with our decoder: expected ${to.diffID}, found ${digest}`);
}

/**
 * Decodes a patch of the layer `from`, and keeps only the digest of what it makes, how many bytes
 * of the layer it read, and how many bytes of memory its decoder takes on a device. Throws
 * IntegrityError for a damaged patch, one of another layer, or one that makes more than `largest`
 * bytes, and UnsupportedError as soon as one reads too much of its layer for a device.
 */
export async function decodePatchToDigest(
  patch: AsyncIterable<Uint8Array>,
  from: Pick<LayerFile, 'diffID' | 'path'>,
  largest: number,
): Promise<{ digest: Digest; sourceBytesRead: number; memory: number }> {
  const source = new PatchSourceFile(from.path);
  let memory = 0;
  const open = (header: PatchHeader): PatchSourceFile => {
    const { sources, target } = header;
    const [one, ...more] = sources;
    memory = memoryOf(header);
    if (one?.digest !== from.diffID || more.length > 0) {
      throw new IntegrityError(`decoding a patch: it was not made from ${from.diffID}`);
    }
    if (one.size !== source.size) {
      throw new IntegrityError(
        `decoding a patch: expected a base layer of ${one.size} bytes, found ${source.size}`,
      );
    }
    if (target.size > largest) {
      throw new IntegrityError(`decoding a patch: expected ${largest} bytes, found ${target.size}`);
    }
    source.limit = MOST_READS * (one.size + target.size);
    return source;
  };
  try {
    const sum = createHash('sha256');
    for await (const piece of decodePatch(patch, open)) sum.update(piece);
    return { digest: `sha256:${sum.digest('hex')}`, sourceBytesRead: source.bytesRead, memory };
  } finally {
    source.close();
  }
}
