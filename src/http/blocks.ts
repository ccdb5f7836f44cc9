import type { ClientRequestArgs, IncomingMessage } from 'node:http';
import { Agent } from 'node:http';
import { globalAgent as httpsAgent } from 'node:https';
import type { NetConnectOpts, Socket } from 'node:net';
import { connect } from 'node:net';
import type { Guard } from './guard.ts';

/** Bytes of a block; not less than one read. */
const BLOCK = 1 << 20;
/** Bytes that a waiting reader gets before the block is full, so that a slow network loses little in a crash. */
const WORTH_READING = 1 << 18;

/** Blocks that wait for the next answer, so that parts don't take memory anew. */
const spare: Buffer[] = [];

/**
 * The body of an answer in blocks that the network fills again and again: each is good until the next is asked for. It
 * spares the memory that a stream takes anew for every chunk, and the parser's copy of it. `broken` makes the error of a
 * broken connection, which is thrown after the bytes that came before. Undefined where this answer can't be read so.
 */
export function blocksOf(
  answer: IncomingMessage,
  guard: Guard,
  broken: (error: unknown) => unknown,
): (() => AsyncGenerator<Buffer>) | undefined {
  const takeOver = takeoverOf(answer.socket);
  const { 'content-length': length, 'transfer-encoding': encoding } = answer.headers;
  if (takeOver === undefined || length === undefined || encoding !== undefined) return undefined;
  return async function* () {
    // What came with the headers went to the parser.
    const first = (answer.read() as Buffer | null) ?? Buffer.alloc(0);
    const pair = new BlockPair(answer, Number(length) - first.length, guard);
    try {
      if (!answer.complete) takeOver(pair);
      yield first;
      for (let block = await pair.next(); block !== undefined; block = await pair.next()) yield block;
      if (pair.failure !== undefined) throw broken(pair.failure);
    } finally {
      guard.end();
      answer.destroy();
      pair.release();
    }
  };
}

/** One block is filled while the reader has the other. */
class BlockPair implements Taker {
  /** Why the bytes end too early. */
  failure: Error | undefined;
  private filling = spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK);
  private other = spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK);
  private filled = 0;
  /** What is to be read of the other block. */
  private full: Buffer | undefined;
  private isLent = false;
  /** Wakes the reader that waits. */
  private wake: (() => void) | undefined;
  private readonly answer: IncomingMessage;
  private left: number;
  private readonly guard: Guard;

  constructor(answer: IncomingMessage, left: number, guard: Guard) {
    this.answer = answer;
    this.left = left;
    this.guard = guard;
    answer.once('close', () => this.fail(answer.errored ?? new Error('the connection was closed')));
  }

  space(): Buffer {
    // A full block waits until the other is free: what comes next goes there.
    return this.filled < BLOCK ? this.filling.subarray(this.filled) : this.other;
  }

  arrived(bytes: Buffer): boolean {
    if (bytes.buffer !== this.filling.buffer) bytes.copy(this.filling, this.filled);
    const count = Math.min(bytes.length, this.left);
    this.filled += count;
    this.left -= count;
    this.guard.touch();
    if (this.left > 0 && this.filled < (this.wake === undefined ? BLOCK : WORTH_READING)) return true;
    return this.turn() && this.left > 0;
  }

  /** The next block, or undefined after the last one or a failure. */
  async next(): Promise<Buffer | undefined> {
    this.isLent = false;
    this.guard.touch();
    if (this.filled === BLOCK && this.turn()) this.answer.socket.resume();
    while (this.full === undefined && this.left > 0 && this.failure === undefined) await this.change();
    if (this.full === undefined && this.filled > 0) this.turn();
    this.guard.pause();
    return this.lend();
  }

  /** Nothing arrives any more, and the reader has gone. */
  release(): void {
    spare.push(this.filling, this.other);
  }

  private lend(): Buffer | undefined {
    const block = this.full;
    this.isLent = block !== undefined;
    this.full = undefined;
    return block;
  }

  /** Makes the filled block the next one to read, if the reader is done with the other. */
  private turn(): boolean {
    if (this.full !== undefined || this.isLent) return false;
    this.full = this.filling.subarray(0, this.filled);
    [this.filling, this.other, this.filled] = [this.other, this.filling, 0];
    this.wake?.();
    return true;
  }

  private async change(): Promise<void> {
    await new Promise<void>((resolve) => (this.wake = resolve));
    this.wake = undefined;
  }

  private fail(error: Error): void {
    if (this.left > 0) this.failure = error;
    this.wake?.();
  }
}

/**
 * What connections read into, one after the other, as nothing of it is kept. What Node does by itself, 64 KiB in memory
 * that is new each time, costs more than all else in a download.
 */
const block = Buffer.allocUnsafeSlow(1 << 18);

/** Takes what arrives on a connection in place of Node's parser of answers. */
interface Taker {
  /** Where the next bytes go: never empty. */
  space(): Buffer;
  /** `bytes` have arrived, in `space()` or, at first, elsewhere. False to read no further until the connection is resumed. */
  arrived(bytes: Buffer): boolean;
}

const states = new WeakMap<Socket, { taker?: Taker }>();

/** Connections of plain http, kept open as Node's global agent keeps them. */
export const httpAgent: Agent = Object.assign(
  new Agent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 }),
  { createConnection: connectReadingBlocks },
);

function connectReadingBlocks(options: ClientRequestArgs): Socket {
  const state: { taker?: Taker } = {};
  const onread = {
    buffer: () => state.taker?.space() ?? block,
    callback: (length: number, buffer: Buffer): boolean => {
      const bytes = buffer.subarray(0, length);
      if (state.taker !== undefined) return state.taker.arrived(bytes);
      // The parser listens to this; it copies what it passes on before it returns.
      socket.emit('data', bytes);
      return true;
    },
  };
  const socket = connect({ ...options, onread } as NetConnectOpts);
  states.set(socket, state);
  return socket;
}

/**
 * A function that hands all further bytes of a connection to a taker; the connection serves no other request then.
 * Undefined where it isn't one of `httpAgent`.
 */
function takeoverOf(socket: Socket): ((taker: Taker) => void) | undefined {
  const state = states.get(socket);
  return state && ((taker) => (state.taker = taker));
}

/** Ends all connections that are kept open for further requests; until then they keep the process alive for seconds. */
export function closeConnections(): void {
  httpAgent.destroy();
  httpsAgent.destroy();
}
