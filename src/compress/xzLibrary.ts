import type { Duplex } from 'node:stream';
import type { Lzma } from 'lzma-native';
import { IntegrityError, UnsupportedError, messageOf } from '../errors.ts';
import { errorRecorded } from '../io/streams.ts';
import type { XzCoding } from './xzCoding.ts';

/** A decoder needs its dictionary and little more; xz -9 has one of 64 MiB. */
const DECODER_MEMORY = 128 << 20;

/** Loaded when it is needed: it would take a twentieth of a short run's time. */
async function liblzma(): Promise<Lzma> {
  return (await import('lzma-native')).default;
}

/** The content as one xz stream, packed by the liblzma that is part of this tool. */
export async function* xzByLibrary(
  content: AsyncIterable<Buffer>,
  { filter, blocks }: XzCoding,
): AsyncGenerator<Buffer, void, undefined> {
  const lzma = await liblzma();
  const { dictionary: dictSize, mode, niceLen, matchFinder, depth } = filter;
  const options = { dictSize, mode: lzma[`MODE_${mode}`], niceLen, mf: lzma[`MF_${matchFinder}`], depth };
  const encoder = lzma.createStream('streamEncoder', {
    check: lzma.CHECK_CRC64,
    filters: [{ id: lzma.FILTER_LZMA2, options }],
    ...(blocks && { threads: blocks.atOnce, blockSize: blocks.size }),
  });
  yield* through(content, encoder);
}

/**
 * Uncompresses xz content of any layout: one stream or several, each of one or many blocks. Bounded in memory by the
 * dictionary. Throws IntegrityError for damaged or truncated content, and UnsupportedError for a dictionary over 128 MiB.
 */
export async function* unxz(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const read: { error?: unknown } = {};
  const lzma = await liblzma();
  const decoder = lzma.createStream('streamDecoder', { memlimit: DECODER_MEMORY, flags: lzma.CONCATENATED });
  try {
    yield* through(errorRecorded(content, read), decoder);
  } catch (error) {
    throw 'error' in read ? read.error : decodingError(error);
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
