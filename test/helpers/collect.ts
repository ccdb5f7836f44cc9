import { createHash } from 'node:crypto';
import { decompressed } from '../../src/compress/decompress.ts';
import type { ArrivingBlob, BlobSink, ResolvedImage } from '../../src/oci/image.ts';
import type { Digest } from '../../src/oci/digest.ts';

export interface Collector {
  sink: BlobSink;
  /**
   * What arrived, by the digest that it was announced with: the digest of its uncompressed bytes.
   */
  arrived: Map<Digest, { kind: ArrivingBlob['kind']; found: Digest; bytes: number }>;
}

/** A sink that keeps nothing but digests. */
export function collector(): Collector {
  const arrived: Collector['arrived'] = new Map();
  const sink: BlobSink = async ({ kind, digest, stream }) => {
    const sum = createHash('sha256');
    let bytes = 0;
    for await (const chunk of kind === 'layer' ? decompressed(stream) : stream) {
      sum.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
    if (arrived.has(digest)) throw new Error(`${digest} arrived twice`);
    arrived.set(digest, { kind, found: `sha256:${sum.digest('hex')}`, bytes });
  };
  return { sink, arrived };
}

/** Config digest and diffIDs: everything that an image consists of. */
export function allOf(image: ResolvedImage): Set<Digest> {
  return new Set([image.configDigest, ...image.layers.map(({ diffID }) => diffID)]);
}

/** True if exactly the wanted blobs arrived, each with the bytes of its digest. */
export function isWhole({ arrived }: Collector, wanted: ReadonlySet<Digest>): boolean {
  return arrived.size === wanted.size && [...wanted].every((digest) => arrived.get(digest)?.found === digest);
}
