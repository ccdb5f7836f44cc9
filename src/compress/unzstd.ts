import { setImmediate } from 'node:timers/promises';
import { IntegrityError, UnsupportedError } from '../errors.ts';
import type { Chunks } from '../io/streams.ts';

/** Bytes per call of the decoder. The event loop gets a turn after each call. */
const INPUT_SIZE = 1 << 17;
const OUTPUT_SIZE = 1 << 20;

/** The used functions of zstd, compiled to WebAssembly. Addresses and sizes are 32-bit integers. */
interface Zstd {
  memory: { buffer: ArrayBuffer };
  malloc(size: number): number;
  free(address: number): void;
  ZSTD_createDCtx(): number;
  ZSTD_freeDCtx(context: number): number;
  ZSTD_decompressStream(context: number, output: number, input: number): number;
}

let loading: Promise<Zstd> | undefined;

/** Loads the decoder when it is first needed: few layers are packed with zstd. */
function loadZstd(): Promise<Zstd> {
  return (loading ??= load());
}

async function load(): Promise<Zstd> {
  const { ZSTDDecoder } = await import('zstddec/stream');
  let exports: unknown;
  // The package's own loop does not look at error codes, so that damaged content would never end.
  class Loader extends ZSTDDecoder {
    override _init(result: { instance: { exports: unknown } }): void {
      exports = result.instance.exports;
      super._init(result);
    }
  }
  await new Loader().init();
  return exports as Zstd;
}

/**
 * Unpacks zstd content of one or more frames. In memory are the window and one piece. Throws
 * IntegrityError for damaged content, and UnsupportedError for a window over 128 MiB or a
 * dictionary.
 * https://datatracker.ietf.org/doc/html/rfc8878
 */
export async function* unzstd(compressed: Chunks): AsyncGenerator<Buffer, void, undefined> {
  const decoder = new Decoder(await loadZstd());
  try {
    for await (const chunk of compressed) {
      for (let at = 0; at < chunk.length; at += INPUT_SIZE) {
        decoder.give(chunk.subarray(at, at + INPUT_SIZE));
        for (let piece = decoder.take(); piece !== undefined; piece = decoder.take()) {
          if (piece.length > 0) yield piece;
          await setImmediate();
        }
      }
    }
    if (!decoder.isComplete) throw damaged('it ends too early');
  } finally {
    decoder.free();
  }
}

/** Fields of ZSTD_inBuffer and ZSTD_outBuffer: address, size and position. */
const FIELDS = 3;

/** A stream of frames in the memory of the WebAssembly module. */
class Decoder {
  /** True between frames. */
  isComplete = true;
  readonly #zstd: Zstd;
  readonly #context: number;
  /** Addresses: the input and output buffer, and their descriptions. */
  readonly #input: number;
  readonly #output: number;
  readonly #fields: number;
  #given = 0;
  #taken = 0;
  #mayHaveMore = false;

  constructor(zstd: Zstd) {
    this.#zstd = zstd;
    this.#context = zstd.ZSTD_createDCtx();
    this.#input = zstd.malloc(INPUT_SIZE);
    this.#output = zstd.malloc(OUTPUT_SIZE);
    this.#fields = zstd.malloc(2 * FIELDS * 4);
  }

  /** Gives the next compressed bytes, at most `INPUT_SIZE`, once all output was taken. */
  give(bytes: Buffer): void {
    new Uint8Array(this.#zstd.memory.buffer).set(bytes, this.#input);
    this.#given = bytes.length;
    this.#taken = 0;
  }

  /** The next unpacked bytes, or undefined if more compressed bytes are needed. */
  take(): Buffer | undefined {
    if (this.#taken === this.#given && !this.#mayHaveMore) return undefined;
    const { result, size, taken } = this.#step();
    const isStuck = size === 0 && taken === this.#taken;
    this.#taken = taken;
    this.#mayHaveMore = size === OUTPUT_SIZE && result !== 0;
    this.isComplete = result === 0;
    if (isStuck && taken < this.#given) throw damaged('the decoder makes no progress');
    const { buffer } = this.#zstd.memory;
    return isStuck ? undefined : Buffer.from(buffer.slice(this.#output, this.#output + size));
  }

  #step(): { result: number; size: number; taken: number } {
    this.#describeBuffers();
    const [output, input] = [this.#fields, this.#fields + FIELDS * 4];
    const result = this.#zstd.ZSTD_decompressStream(this.#context, output, input) >>> 0;
    if (result >= FIRST_ERROR) throw errorOf(2 ** 32 - result);
    const fields = new DataView(this.#zstd.memory.buffer, this.#fields);
    return { result, size: fields.getUint32(8, true), taken: fields.getUint32(20, true) };
  }

  #describeBuffers(): void {
    const fields = new Uint32Array(this.#zstd.memory.buffer, this.#fields, 2 * FIELDS);
    fields.set([this.#output, OUTPUT_SIZE, 0, this.#input, this.#given, this.#taken]);
  }

  free(): void {
    for (const address of [this.#input, this.#output, this.#fields]) this.#zstd.free(address);
    this.#zstd.ZSTD_freeDCtx(this.#context);
  }
}

/** Results from here on are negative error codes. */
const FIRST_ERROR = 2 ** 32 - 120;

/** https://github.com/facebook/zstd/blob/v1.5.7/lib/zstd_errors.h */
function errorOf(code: number): IntegrityError | UnsupportedError {
  if (code === 16) return new UnsupportedError('the zstd content needs a window of more than 128 MiB');
  if (code === 30 || code === 32) return new UnsupportedError('the zstd content needs a dictionary');
  if (code === 10) return damaged('no frame where one is expected');
  if (code === 22) return damaged('wrong checksum');
  return damaged(`zstd error ${code}`);
}

function damaged(fault: string): IntegrityError {
  return new IntegrityError(`the zstd content is damaged: ${fault}`);
}
