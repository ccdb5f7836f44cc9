import { createHash } from 'node:crypto';
import { decodePatchToDigest } from '../../delta/patchJob.ts';
import type { CachedLayer } from '../../cache/layers.ts';
import { looksCompressed } from '../../delta/sniff.ts';
import { SourceFile } from '../../delta/sourceFile.ts';
import { IntegrityError, UnsupportedError } from '../../errors.ts';
import { readArtifact } from '../../mender/read/read.ts';
import type { Digest } from '../../oci/digest.ts';
import { decodeVcdiff } from '../../vcdiff/decode.ts';

/** The result of decoding one delta. */
export interface DecodedDelta {
  /** Undefined if it made exactly its layer. */
  problem?: string | undefined;
  /** Bytes read from the base layer. */
  sourceBytesRead: number;
}

/** The delta of one layer of one image. */
export interface DeltaToDecode {
  source: CachedLayer;
  /** Bytes that the layer must have. */
  size: number;
  /** Of a patch: bytes of memory that the plan says. */
  memory?: number | undefined;
}

/**
 * Reads the artifact at `path` again and decodes its deltas on the way. Neither holds a layer in
 * memory nor writes one. `deltas` and the result are keyed by image id, then by diffID. The result
 * says what is wrong with a delta. Throws what `readArtifact` throws.
 */
export async function decodeDeltas(
  path: string,
  deltas: ReadonlyMap<string, ReadonlyMap<Digest, DeltaToDecode>>,
  options: { onRead?: (bytes: number) => void; signal: AbortSignal },
): Promise<Map<string, Map<Digest, DecodedDelta>>> {
  const decoded = new Map([...deltas.keys()].map((image) => [image, new Map<Digest, DecodedDelta>()]));
  await readArtifact(path, {
    ...options,
    visitor: {
      async layer({ folder: image, diffID, kind, format }, body) {
        const delta = kind === 'delta' ? deltas.get(image)?.get(diffID) : undefined;
        if (delta === undefined) return;
        const decode = format === 'patch' ? decodeOnePatch : decodeDelta;
        decoded.get(image)?.set(diffID, await decode(diffID, delta, body));
      },
    },
  });
  return decoded;
}

async function decodeOnePatch(
  diffID: Digest,
  { source, size, memory: planned }: DeltaToDecode,
  body: AsyncIterable<Uint8Array>,
): Promise<DecodedDelta> {
  try {
    const { digest, sourceBytesRead, memory } = await decodePatchToDigest(body, source, size);
    if (digest !== diffID) return { problem: `its patch makes ${digest}`, sourceBytesRead };
    const isPlanned = memory === planned;
    const problem = isPlanned
      ? undefined
      : `its patch takes ${memory} bytes of memory, the plan says ${planned ?? 0}`;
    return { problem, sourceBytesRead };
  } catch (error) {
    if (!(error instanceof IntegrityError || error instanceof UnsupportedError)) throw error;
    return { problem: error.message, sourceBytesRead: 0 };
  }
}

async function decodeDelta(
  diffID: Digest,
  { source, size }: DeltaToDecode,
  body: AsyncIterable<Uint8Array>,
): Promise<DecodedDelta> {
  const file = new SourceFile(source.path);
  try {
    if (await looksCompressed(source.path))
      return { problem: 'xdelta3 would unpack its source', sourceBytesRead: 0 };
    const sum = createHash('sha256');
    for await (const window of decodeVcdiff(body, file, size)) sum.update(window);
    const digest: Digest = `sha256:${sum.digest('hex')}`;
    const problem = digest === diffID ? undefined : `its delta makes ${digest}`;
    return { problem, sourceBytesRead: file.bytesRead };
  } catch (error) {
    if (!(error instanceof IntegrityError || error instanceof UnsupportedError)) throw error;
    return { problem: error.message, sourceBytesRead: file.bytesRead };
  } finally {
    file.close();
  }
}
