import type { ClientRequestArgs, IncomingMessage } from 'node:http';
import { Agent } from 'node:http';
import type { NetConnectOpts, Socket } from 'node:net';
import { connect } from 'node:net';
import type { Guard } from './guard.ts';

/** Bytes of a block: at least one read. */
const BLOCK = 1 << 20;
/**
 * Bytes that a waiting reader gets before the block is full: on a slow network, a crash then loses
 * little.
 */
const WORTH_READING = 1 << 18;

/** Blocks for the next response, so that parts of a file do not allocate new memory. */
const spare: Buffer[] = [];

/**
 * Reads a response into two reused buffers. A yielded buffer is valid until the next one is
 * requested. This saves the new memory per chunk that a stream takes, and the copy of the parser.
 * `broken` makes the error of a broken connection, which is thrown after the bytes that came
 * before. Undefined if this response can't be read so.
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
    // The bytes that came with the headers are in the parser.
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

/** Two blocks: one is filled while the reader has the other. */
class BlockPair implements Taker {
  /** The reason for a premature end. */
  failure: Error | undefined;
  #filling = spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK);
  #other = spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK);
  #filled = 0;
  /** The unread part of the other block. */
  #full: Buffer | undefined;
  #isLent = false;
  /** Wakes a waiting reader. */
  #wake: (() => void) | undefined;
  readonly #answer: IncomingMessage;
  #left: number;
  readonly #guard: Guard;

  constructor(answer: IncomingMessage, left: number, guard: Guard) {
    this.#answer = answer;
    this.#left = left;
    this.#guard = guard;
    answer.once('close', () => this.#fail(answer.errored ?? new Error('the connection was closed')));
  }

  space(): Buffer {
    // If this block is full, the next bytes go into the other one, which is free then.
    return this.#filled < BLOCK ? this.#filling.subarray(this.#filled) : this.#other;
  }

  arrived(bytes: Buffer): boolean {
    if (bytes.buffer !== this.#filling.buffer) bytes.copy(this.#filling, this.#filled);
    const count = Math.min(bytes.length, this.#left);
    this.#filled += count;
    this.#left -= count;
    this.#guard.arrived(count);
    if (this.#left > 0 && this.#filled < (this.#wake === undefined ? BLOCK : WORTH_READING)) return true;
    const goesOn = this.#turn() && this.#left > 0;
    // From now on the network waits for the reader.
    if (!goesOn) this.#guard.pause();
    return goesOn;
  }

  /** Waits for the next block. Undefined after the last one or a failure. */
  async next(): Promise<Buffer | undefined> {
    this.#isLent = false;
    this.#guard.resume();
    if (this.#filled === BLOCK && this.#turn()) this.#answer.socket.resume();
    while (this.#full === undefined && this.#left > 0 && this.failure === undefined)
      await this.#waitForChange();
    if (this.#full === undefined && this.#filled > 0) this.#turn();
    this.#guard.pause();
    return this.#lend();
  }

  /** Frees the blocks, once nothing arrives and nothing is read any more. */
  release(): void {
    spare.push(this.#filling, this.#other);
  }

  #lend(): Buffer | undefined {
    const block = this.#full;
    this.#isLent = block !== undefined;
    this.#full = undefined;
    return block;
  }

  /** Makes the filled block the next one to read, if the reader has finished the other. */
  #turn(): boolean {
    if (this.#full !== undefined || this.#isLent) return false;
    this.#full = this.#filling.subarray(0, this.#filled);
    [this.#filling, this.#other, this.#filled] = [this.#other, this.#filling, 0];
    this.#wake?.();
    return true;
  }

  async #waitForChange(): Promise<void> {
    await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
  }

  #fail(error: Error): void {
    if (this.#left > 0) this.failure = error;
    this.#wake?.();
  }
}

/**
 * The buffer that all connections read into, as none keeps its content. Node would allocate 64 KiB
 * for each read, which costs more than everything else in a download.
 */
const block = Buffer.allocUnsafeSlow(1 << 18);

/** Takes the bytes of a connection in place of Node's HTTP parser. */
interface Taker {
  /** The buffer for the next bytes, never empty. */
  space(): Buffer;
  /**
   * Told that `bytes` arrived, in `space()` or, at first, elsewhere. Returns false to pause the
   * connection.
   */
  arrived(bytes: Buffer): boolean;
}

const states = new WeakMap<Socket, { taker?: Taker }>();

/** Connections of plain http, which stay open as those of Node's global agent do. */
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
      // The parser listens to this event, and copies what it passes on before it returns.
      socket.emit('data', bytes);
      return true;
    },
  };
  const socket = connect({ ...options, onread } as NetConnectOpts);
  states.set(socket, state);
  return socket;
}

/**
 * A function that passes all further bytes of a connection to a taker. The connection then serves
 * no other request. Undefined if the connection is not one of `httpAgent`.
 */
function takeoverOf(socket: Socket): ((taker: Taker) => void) | undefined {
  const state = states.get(socket);
  return state && ((taker) => (state.taker = taker));
}
