import type { Duplex } from 'node:stream';
import type { Lzma } from 'lzma-native';
import { IntegrityError, UnsupportedError, messageOf } from '../errors.ts';
import { errorRecorded } from '../io/streams.ts';
import type { XzCoding } from './xzCoding.ts';

/** Bytes. A decoder needs its dictionary and little more; that of xz -9 has 64 MiB. */
const DECODER_MEMORY = 128 << 20;

/** Loads the library when it is first needed: loading takes a twentieth of a short run's time. */
async function loadLzma(): Promise<Lzma> {
  return (await import('lzma-native')).default;
}

/** Packs the content into one xz stream with the liblzma that is part of this tool. */
export async function* xzByLibrary(
  content: AsyncIterable<Buffer>,
  { filter, blocks }: XzCoding,
): AsyncGenerator<Buffer, void, undefined> {
  const lzma = await loadLzma();
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
 * Unpacks xz content of one or more streams, each of one or more blocks. The dictionary limits the
 * memory that this takes. Throws IntegrityError for damaged or truncated content, and
 * UnsupportedError for a dictionary over 128 MiB.
 */
export async function* unxz(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const read: { error?: unknown } = {};
  const lzma = await loadLzma();
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
    // The end of the output is what tells that all is done: `finish` may never be emitted.
    yield* coder as AsyncIterable<Buffer>;
  } finally {
    coder.destroy();
  }
}

async function feed(content: AsyncIterable<Buffer>, coder: Duplex): Promise<void> {
  try {
    for await (const chunk of content) {
      if (coder.destroyed) return;
      if (!coder.write(chunk)) await waitForRoom(coder);
    }
    coder.end();
  } catch (error) {
    coder.destroy(error instanceof Error ? error : new Error(messageOf(error)));
  }
}

function waitForRoom(coder: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      coder.off('drain', finish).off('close', finish).off('error', finish);
      resolve();
    };
    coder.on('drain', finish).on('close', finish).on('error', finish);
    if (coder.destroyed) finish();
  });
}

function decodingError(error: unknown): Error {
  const message = messageOf(error);
  if (message.startsWith('Memory usage limit')) {
    return new UnsupportedError('the xz content needs a dictionary of more than 128 MiB');
  }
  return new IntegrityError(`the xz content is damaged: ${message}`, { cause: error });
}
