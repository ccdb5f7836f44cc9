import { gathered } from '../io/streams.ts';
import type { XzContent, XzLevel } from './xzCoding.ts';
import { xzCoding } from './xzCoding.ts';
import { hasXzLibrary, requireLzma, unxzByLibrary, xzByLibrary } from './xzLibrary.ts';
import { hasXzProgram, unxzByProgram, xzByProgram } from './xzProgram.ts';

/** Throws UnsupportedError if this machine has neither the xz program nor the library. */
export async function requireXz(): Promise<void> {
  if (!(await hasXzProgram())) await requireLzma();
}

/** Bytes per call of a coder: each call goes to another thread or process and back. */
const CALL_SIZE = 1 << 20;

/**
 * Packs the content into one xz stream of independent blocks, and compresses up to `threads` of
 * them at once. With `reach`, the stream is one block, so that content which repeats at a distance
 * of up to `reach` bytes is found. The bytes depend on the content, the level and `known` alone:
 * not on the number of threads, and not on whether the xz program is installed. Throws
 * UnsupportedError if this machine has neither the program nor the library.
 */
export async function* xz(
  content: AsyncIterable<Buffer>,
  level: XzLevel,
  threads: number,
  known: XzContent = { size: 0, reach: 0 },
): AsyncGenerator<Buffer, void, undefined> {
  const pack = (await hasXzProgram()) ? xzByProgram : xzByLibrary;
  yield* pack(gathered(content, CALL_SIZE), xzCoding(level, threads, known));
}

/**
 * Unpacks xz content of one or more streams, each of one or more blocks. The dictionary limits the
 * memory that this takes. Throws IntegrityError for damaged or truncated content, and
 * UnsupportedError for a dictionary over 128 MiB or a machine without xz.
 */
export async function* unxz(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const withProgram = !(await hasXzLibrary()) && (await hasXzProgram());
  yield* (withProgram ? unxzByProgram : unxzByLibrary)(content);
}
