import { Readable } from 'node:stream';
import type { Guard } from './guard.ts';

/** Chunks that wait for their reader. */
const WAITING = 4;

/**
 * The body of an answer at its reader's pace, chunk by chunk as it came; the guard's clock runs only while the network is
 * what is waited for. `broken` makes the error of a broken connection.
 */
export function guardedBody(data: Readable, guard: Guard, broken: (error: unknown) => unknown): Readable {
  guard.pause();
  // Chunks are objects here, as a stream of bytes would join what waits into new memory.
  const body = new Readable({
    objectMode: true,
    highWaterMark: WAITING,
    read() {
      guard.touch();
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
  // Whoever reads meets the error then.
  body.on('error', () => undefined);
  return body;
}

function pass(data: Readable, body: Readable, guard: Guard): void {
  const hold = (): void => {
    guard.pause();
    data.pause();
  };
  data.on('data', (chunk) => (body.push(chunk) ? guard.touch() : hold()));
  data.once('end', () => {
    guard.end();
    body.push(null);
  });
}
