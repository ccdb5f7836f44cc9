import type { Duplex } from 'node:stream';
import type { Lzma, Lzma2Options } from 'lzma-native';
import { IntegrityError, UnsupportedError, messageOf } from '../errors.ts';
import { gathered } from './gathered.ts';

/** How hard xz tries: 0 is the fastest, 6 the smallest. */
export type XzLevel = 0 | 2 | 6;

interface Effort {
  /** Bytes. */
  dictionary: number;
  /** Bytes of uncompressed data that are compressed together. */
  block: number;
  /** More would take over 300 MB. */
  mostThreads: number;
  mode: 'MODE_FAST' | 'MODE_NORMAL';
  niceLen: number;
  matchFinder: 'MF_HC3' | 'MF_HC4' | 'MF_BT4';
  depth: number;
}

const MIB = 1 << 20;
/** Near xz's presets of the same number; dictionary and blocks are smaller, so that several fit into memory at once. */
const EFFORTS: Readonly<Record<XzLevel, Effort>> = {
  0: {
    dictionary: MIB / 4,
    block: 2 * MIB,
    mostThreads: 8,
    mode: 'MODE_FAST',
    niceLen: 128,
    matchFinder: 'MF_HC3',
    depth: 4,
  },
  2: {
    dictionary: 2 * MIB,
    block: 8 * MIB,
    mostThreads: 4,
    mode: 'MODE_FAST',
    niceLen: 273,
    matchFinder: 'MF_HC4',
    depth: 24,
  },
  6: {
    dictionary: 6 * MIB,
    block: 16 * MIB,
    mostThreads: 2,
    mode: 'MODE_NORMAL',
    niceLen: 64,
    matchFinder: 'MF_BT4',
    depth: 0,
  },
};
/** Beside a repeat's distance, for what a dictionary of a power of two holds anyway. */
const SLACK = MIB;
/** Each call of liblzma goes through another thread and back. */
const CALL_SIZE = MIB;
/** A decoder needs its dictionary and little more; xz -9 has one of 64 MiB. */
const DECODER_MEMORY = 128 * MIB;

/**
 * The content as one xz stream of independent blocks, up to `threads` of which are compressed at once; or, where content
 * repeats at a distance of up to `reach` bytes that blocks would cut, as one block. The bytes depend on the content, the
 * level and the reach alone, never on the number of threads.
 */
export async function* xz(
  content: AsyncIterable<Buffer>,
  level: XzLevel,
  threads: number,
  reach = 0,
): AsyncGenerator<Buffer, void, undefined> {
  const lzma = await liblzma();
  const { block, mostThreads } = EFFORTS[level];
  const filters = [{ id: lzma.FILTER_LZMA2, options: filterOf(lzma, EFFORTS[level], reach) }];
  const atOnce = { threads: Math.min(mostThreads, Math.max(1, Math.floor(threads))), blockSize: block };
  const encoder = lzma.createStream('streamEncoder', {
    check: lzma.CHECK_CRC64,
    filters,
    ...(reach > 0 ? {} : atOnce),
  });
  yield* through(gathered(content, CALL_SIZE), encoder);
}

/** Loaded when it is needed: it would take a twentieth of a short run's time. */
async function liblzma(): Promise<Lzma> {
  return (await import('lzma-native')).default;
}

/** A hash chain where the dictionary is large: a tree would take 370 MB for one of 32 MiB. */
function filterOf(lzma: Lzma, effort: Effort, reach: number): Lzma2Options {
  const { dictionary, niceLen, depth } = effort;
  const mode = lzma[effort.mode];
  if (reach === 0) return { dictSize: dictionary, mode, niceLen, mf: lzma[effort.matchFinder], depth };
  const dictSize = 2 ** Math.ceil(Math.log2(Math.max(dictionary, reach + SLACK)));
  return { dictSize, mode, niceLen, mf: lzma.MF_HC4, depth };
}

/**
 * Uncompresses xz content of any layout: one stream or several, each of one or many blocks. Bounded in memory by the
 * dictionary. Throws IntegrityError for damaged or truncated content, and UnsupportedError for a dictionary over 128 MiB.
 */
export async function* unxz(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const failure: { ofSource?: unknown } = {};
  const lzma = await liblzma();
  const decoder = lzma.createStream('streamDecoder', { memlimit: DECODER_MEMORY, flags: lzma.CONCATENATED });
  try {
    yield* through(guarded(content, failure), decoder);
  } catch (error) {
    throw 'ofSource' in failure ? failure.ofSource : decodingError(error);
  }
}

async function* guarded(
  content: AsyncIterable<Buffer>,
  failure: { ofSource?: unknown },
): AsyncGenerator<Buffer> {
  try {
    yield* content;
  } catch (error) {
    failure.ofSource = error;
    throw error;
  }
}

async function* through(
  content: AsyncIterable<Buffer>,
  coder: Duplex,
): AsyncGenerator<Buffer, void, undefined> {
  void feed(content, coder);
  try {
    // Its end is the proof: it comes behind the last byte, while the coder's `finish` event may never come.
    yield* coder as AsyncIterable<Buffer>;
  } finally {
    coder.destroy();
  }
}

async function feed(content: AsyncIterable<Buffer>, coder: Duplex): Promise<void> {
  try {
    for await (const chunk of content) {
      if (coder.destroyed) return;
      if (!coder.write(chunk)) await roomIn(coder);
    }
    coder.end();
  } catch (error) {
    coder.destroy(error instanceof Error ? error : new Error(messageOf(error)));
  }
}

function roomIn(coder: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      coder.off('drain', settle).off('close', settle).off('error', settle);
      resolve();
    };
    coder.on('drain', settle).on('close', settle).on('error', settle);
    if (coder.destroyed) settle();
  });
}

function decodingError(error: unknown): Error {
  const message = messageOf(error);
  if (message.startsWith('Memory usage limit')) {
    return new UnsupportedError('the xz content needs a dictionary of more than 128 MiB');
  }
  return new IntegrityError(`the xz content is damaged: ${message}`, { cause: error });
}
