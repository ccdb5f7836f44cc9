import { gathered } from '../io/streams.ts';
import type { XzLevel } from './xzCoding.ts';
import { xzCoding } from './xzCoding.ts';
import { xzByLibrary } from './xzLibrary.ts';
import { hasXzProgram, xzByProgram } from './xzProgram.ts';

/** Each call of a coder goes through another thread or process and back. */
const CALL_SIZE = 1 << 20;

/**
 * The content as one xz stream of independent blocks, up to `threads` of which are compressed at once; or, where content
 * repeats at a distance of up to `reach` bytes that blocks would cut, as one block. The bytes depend on the content, the
 * level and the reach alone, never on the number of threads, nor on whether the xz program is installed.
 */
export async function* xz(
  content: AsyncIterable<Buffer>,
  level: XzLevel,
  threads: number,
  reach = 0,
): AsyncGenerator<Buffer, void, undefined> {
  const pack = (await hasXzProgram()) ? xzByProgram : xzByLibrary;
  yield* pack(gathered(content, CALL_SIZE), xzCoding(level, threads, reach));
}
