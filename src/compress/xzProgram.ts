import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { ToolError } from '../errors.ts';
import { errorRecorded } from '../io/streams.ts';
import { redact } from '../io/redact.ts';
import { DECODER_MEMORY, unpackingError } from './unpackingError.ts';
import type { XzCoding } from './xzCoding.ts';

/** Bytes of its messages. */
const MOST_MESSAGES = 1 << 16;
/** XZ_DEFAULTS and XZ_OPT may contain options, which xz would add to ours. */
const ENVIRONMENT = { XZ_DEFAULTS: undefined, XZ_OPT: undefined };

let isInstalled: Promise<boolean> | undefined;

/**
 * True if the xz on PATH is XZ Utils 5.2 or newer: others can't write blocks, or only unpack. The
 * program is asked once per run.
 */
export function hasXzProgram(): Promise<boolean> {
  return (isInstalled ??= askForVersion());
}

async function askForVersion(): Promise<boolean> {
  const { stdout } = await execa('xz', ['--version'], { reject: false, stdin: 'ignore' });
  const [, minor] = /\(XZ Utils\) 5\.(\d+)/.exec(stdout) ?? [];
  return Number(minor) >= 2;
}

/**
 * Packs the content into one xz stream with the xz program. The bytes are those of `xzByLibrary`.
 * The program is faster, as the library is compiled without optimization. Throws ToolError with the
 * program's stderr if it fails, and the error of the content.
 */
export async function* xzByProgram(
  content: AsyncIterable<Buffer>,
  coding: XzCoding,
): AsyncGenerator<Buffer, void, undefined> {
  yield* through(content, commandLine(coding), failure);
}

/** As `unxz`, with the xz program. */
export async function* unxzByProgram(
  content: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  const limit = `--memlimit-decompress=${DECODER_MEMORY}`;
  const args = ['--decompress', '--stdout', '--format=xz', '--threads=1', limit];
  yield* through(content, args, (said) => unpackingError(said.replace(/^xz: (?:\(stdin\): )?/, '')));
}

async function* through(
  content: AsyncIterable<Buffer>,
  args: readonly string[],
  errorOf: (said: string) => Error,
): AsyncGenerator<Buffer, void, undefined> {
  const program = execa('xz', args, {
    stdin: 'pipe',
    buffer: { stdout: false },
    maxBuffer: { stderr: MOST_MESSAGES },
    encoding: 'buffer',
    env: ENVIRONMENT,
    reject: false,
  });
  const read: { error?: unknown } = {};
  const fed = pipeline(errorRecorded(content, read), program.stdin).catch(() => program.kill());
  try {
    yield* program.stdout as AsyncIterable<Buffer>;
    await fed;
    if (read.error !== undefined) throw read.error as Error;
    const { failed, shortMessage, stderr } = await program;
    if (failed) throw errorOf(Buffer.from(stderr).toString().trim() || String(shortMessage));
  } finally {
    program.kill();
  }
}

/**
 * See https://manpages.debian.org/xz. Two threads at least: with one, xz lays out blocks
 * differently.
 */
function commandLine({ filter, blocks }: XzCoding): string[] {
  const { dictionary, mode, niceLen, matchFinder, depth } = filter;
  const lzma2 =
    `dict=${dictionary},mode=${mode},nice=${niceLen},mf=${matchFinder},depth=${depth}`.toLowerCase();
  const layout = blocks
    ? [`--threads=${Math.max(2, blocks.atOnce)}`, `--block-size=${blocks.size}`]
    : ['--threads=1'];
  return ['--compress', '--stdout', '--format=xz', '--check=crc64', ...layout, `--lzma2=${lzma2}`];
}

function failure(said: string): ToolError {
  return new ToolError(`packing: xz failed: ${redact(said)}`, {
    hint: 'see the message of xz, or remove xz from PATH: the tool then packs without it',
  });
}
