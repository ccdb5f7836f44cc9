import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { IntegrityError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import { decodeVcdiff } from '../vcdiff/decode.ts';
import type { DeltaOptions, LayerFile } from './layer.ts';
import { SourceFile } from './sourceFile.ts';
import { digestByXdelta3, hasXdelta3 } from './xdelta3.ts';

/** The result of decoding a delta. */
interface Decoded {
  digest: Digest;
  /** Bytes of the decoded layer. */
  size: number;
  /** Bytes that were read from the source. */
  sourceBytesRead: number;
}

const CHUNK = 1 << 20;

/**
 * Decodes a delta of `from` with our decoder, and keeps only its digest. Throws IntegrityError if
 * the delta is damaged or makes more than `largest` bytes.
 */
async function decodeToDigest(
  from: Pick<LayerFile, 'path'>,
  delta: string,
  largest: number,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<Decoded> {
  const source = new SourceFile(from.path);
  try {
    const sum = createHash('sha256');
    let size = 0;
    const chunks = createReadStream(delta, { highWaterMark: CHUNK }) as AsyncIterable<Uint8Array>;
    for await (const window of decodeVcdiff(chunks, source, largest)) {
      sum.update(window);
      size += window.length;
      onBytes(window.length);
    }
    return { digest: `sha256:${sum.digest('hex')}`, size, sourceBytesRead: source.bytesRead };
  } finally {
    source.close();
  }
}

/**
 * Resolves if `delta` turns `from` into `to`, byte for byte, by our decoder and at the same time by
 * the stock xdelta3 if it is installed. Throws IntegrityError or ToolError otherwise.
 */
export async function proveDelta(
  from: LayerFile,
  to: LayerFile,
  delta: string,
  options: ProofOptions,
): Promise<void> {
  const stock = decodeByStock(from, to, delta, options);
  // Awaited below: if our decoder fails, this must not become an unhandled rejection, and its
  // process must end before this function does.
  const settled = stock.catch(() => undefined);
  try {
    await proveByOwn(from, to, delta, options);
  } finally {
    await settled;
  }
  compareStock(to, await stock);
}

/**
 * Like `proveDelta`, for a delta that anybody may have made. The stock xdelta3 gets it only once
 * our decoder has found it right: some bytes of a hostile delta make terabytes.
 */
export async function proveForeignDelta(
  from: LayerFile,
  to: LayerFile,
  delta: string,
  options: ProofOptions,
): Promise<void> {
  await proveByOwn(from, to, delta, options);
  compareStock(to, await decodeByStock(from, to, delta, options));
}

type ProofOptions = Pick<DeltaOptions, 'signal' | 'log'>;

async function proveByOwn(
  from: LayerFile,
  to: LayerFile,
  delta: string,
  { signal, log }: ProofOptions,
): Promise<void> {
  const own = await decodeToDigest(from, delta, to.size, () => signal?.throwIfAborted());
  compare(to, own.digest, 'our decoder');
  log.debug(`proved the delta of ${to.diffID}: ${own.size} bytes, read ${own.sourceBytesRead} of its source`);
}

/** Returns undefined if xdelta3 is not installed. */
async function decodeByStock(
  from: LayerFile,
  to: LayerFile,
  delta: string,
  { signal }: ProofOptions,
): Promise<Digest | undefined> {
  return (await hasXdelta3()) ? digestByXdelta3(from, delta, to.size, signal) : undefined;
}

function compareStock(to: LayerFile, found: Digest | undefined): void {
  if (found !== undefined) compare(to, found, 'xdelta3');
}

function compare(to: LayerFile, found: Digest, decoder: string): void {
  if (found === to.diffID) return;
  throw new IntegrityError(`proving a delta with ${decoder}: expected ${to.diffID}, found ${found}`, {
    hint: ({ option }) =>
      `a layer in the cache may be damaged; choose another encoder with ${option('encoder', 'xdelta3')} if it is not`,
  });
}
