import { Readable } from 'node:stream';
import type { Guard } from './guard.ts';

/** Chunks that may wait for the reader. */
const WAITING = 4;

/**
 * The body of a response at the pace of its reader, with the chunks as they arrived. The guard's
 * clock runs only while the reader waits for the network. `broken` makes the error of a broken
 * connection.
 */
export function guardedBody(data: Readable, guard: Guard, broken: (error: unknown) => unknown): Readable {
  guard.pause();
  // In object mode, as a stream of bytes would copy waiting chunks into new memory.
  const body = new Readable({
    objectMode: true,
    highWaterMark: WAITING,
    read() {
      guard.resume();
      if (data.readableFlowing === null) pass(data, body, guard);
      data.resume();
    },
    destroy(error, done) {
      guard.end();
      data.destroy();
      done(error);
    },
  });
  const fail = (error: unknown): void => void body.destroy(broken(error) as Error);
  data.on('error', fail);
  data.once('close', () => data.readableEnded || fail(new Error('the connection was closed')));
  // The error surfaces in the reader.
  body.on('error', () => undefined);
  return body;
}

function pass(data: Readable, body: Readable, guard: Guard): void {
  const hold = (): void => {
    guard.pause();
    data.pause();
  };
  data.on('data', (chunk: Buffer) => {
    guard.arrived(chunk.length);
    if (!body.push(chunk)) hold();
  });
  data.once('end', () => {
    guard.end();
    body.push(null);
  });
}
