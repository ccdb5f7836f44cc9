import type { Duplex } from 'node:stream';
import type { Lzma } from 'lzma-native';
import { UnsupportedError, messageOf } from '../errors.ts';
import { errorRecorded } from '../io/streams.ts';
import { DECODER_MEMORY, unpackingError } from './unpackingError.ts';
import type { XzCoding } from './xzCoding.ts';

let loading: Promise<Lzma | undefined> | undefined;

/**
 * Loads the library when it is first needed: loading takes a twentieth of a short run's time.
 * Undefined where its native part is missing, as on Alpine and on arm v7 without a compiler.
 */
function loadLzma(): Promise<Lzma | undefined> {
  return (loading ??= import('lzma-native').then(
    (library) => library.default,
    () => undefined,
  ));
}

/** True if the library works on this machine. */
export async function hasXzLibrary(): Promise<boolean> {
  return (await loadLzma()) !== undefined;
}

/** Throws UnsupportedError where the library can't be loaded. */
export async function requireLzma(): Promise<Lzma> {
  const lzma = await loadLzma();
  if (lzma !== undefined) return lzma;
  throw new UnsupportedError(
    `lzma: the xz program is not on PATH, and ${process.platform} on ${process.arch} has no library`,
    {
      hint: ({ option }) =>
        `install XZ Utils (Debian: xz-utils, Alpine: xz), or use ${option('compression', 'gzip')}`,
    },
  );
}

/**
 * Packs the content into one xz stream with the liblzma that is part of this tool. Throws
 * UnsupportedError where that can't be loaded.
 */
export async function* xzByLibrary(
  content: AsyncIterable<Buffer>,
  { filter, blocks }: XzCoding,
): AsyncGenerator<Buffer, void, undefined> {
  const lzma = await requireLzma();
  const { dictionary: dictSize, mode, niceLen, matchFinder, depth } = filter;
  const options = { dictSize, mode: lzma[`MODE_${mode}`], niceLen, mf: lzma[`MF_${matchFinder}`], depth };
  const encoder = lzma.createStream('streamEncoder', {
    check: lzma.CHECK_CRC64,
    filters: [{ id: lzma.FILTER_LZMA2, options }],
    ...(blocks && { threads: blocks.atOnce, blockSize: blocks.size }),
  });
  yield* through(content, encoder);
}

/** As `unxz`, with the library. Throws UnsupportedError where that can't be loaded. */
export async function* unxzByLibrary(
  content: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  const read: { error?: unknown } = {};
  const lzma = await requireLzma();
  const decoder = lzma.createStream('streamDecoder', { memlimit: DECODER_MEMORY, flags: lzma.CONCATENATED });
  try {
    yield* through(errorRecorded(content, read), decoder);
  } catch (error) {
    throw 'error' in read ? read.error : unpackingError(messageOf(error));
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
