import { promisify } from 'node:util';
import { gzip as gzipCallback } from 'node:zlib';

const compress = promisify(gzipCallback);
/** Large enough that the members' own headers and lost context cost less than a thousandth. */
const PIECE = 1 << 20;

/**
 * The content as gzip members of one piece each, up to `threads` of which are compressed at once. The bytes depend on
 * the content and the level (1 to 9) alone. https://datatracker.ietf.org/doc/html/rfc1952#section-2.2
 */
export async function* gzip(
  content: AsyncIterable<Buffer>,
  level: number,
  threads: number,
): AsyncGenerator<Buffer, void, undefined> {
  const running: Promise<Buffer>[] = [];
  for await (const piece of pieces(content)) {
    const member = compress(piece, { level });
    // Where an earlier one fails first, nobody waits for this one.
    member.catch(() => undefined);
    running.push(member);
    if (running.length > threads) yield await (running.shift() as Promise<Buffer>);
  }
  for (const member of running) yield await member;
}

/** The content in pieces of 1 MiB; at least one, so that no content still gives a gzip file. */
async function* pieces(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let size = 0;
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + PIECE - size);
      held.push(part);
      at += part.length;
      size += part.length;
      if (size < PIECE) continue;
      yield Buffer.concat(held);
      held = [];
      size = 0;
    }
  }
  yield Buffer.concat(held);
}
