import { createReadStream, createWriteStream } from 'node:fs';
import { open, stat, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { ExecaError, execa } from 'execa';
import { IntegrityError, ToolError } from '../errors.ts';
import { writeAtomically } from '../io/files.ts';
import { redact } from '../io/redact.ts';
import { fileReader } from '../tar/byteReader.ts';
import { tarHeader, tarPadding } from '../tar/tar.ts';
import { walkTar } from '../tar/tarRead.ts';
import { signatureText } from './signatureText.ts';

const HINT = 'the command gets the manifest on stdin and prints the signature: docs/verify.md';
/** Bytes. A signature has some hundreds. */
const LONGEST_OUTPUT = 64 << 10;

/** The part of an artifact that is signed. */
interface Signable {
  manifest: Buffer;
  /** Position of the first byte behind the manifest. */
  end: number;
}

/**
 * Signs the artifact at `path`: runs `command` in a shell with the manifest on stdin, and puts the
 * signature that it prints behind the manifest. A failure leaves the artifact as it was. Throws
 * ToolError if the command fails or prints no signature.
 * https://docs.mender.io/artifact-creation/sign-and-verify
 */
export async function signWith(
  command: string,
  path: string,
  { mtime, signal }: { mtime: number; signal?: AbortSignal },
): Promise<void> {
  const { manifest, end } = await readSignable(path);
  const signature = signatureText(await outputOf(command, manifest, signal));
  const { mode } = await stat(path);
  const header = tarHeader('manifest.sig', { size: signature.length, mtime });
  const entry = Buffer.concat([header, Buffer.from(signature), tarPadding(signature.length)]);
  await writeAtomically(path, async (temporary) => {
    await writeFile(temporary, '', { mode: mode & 0o777 });
    const target = () => createWriteStream(temporary, { flags: 'a' });
    await pipeline(createReadStream(path, { end: end - 1 }), target());
    await writeFile(temporary, entry, { flag: 'a' });
    await pipeline(createReadStream(path, { start: end }), target());
  });
}

async function readSignable(path: string): Promise<Signable> {
  const file = await open(path);
  try {
    const bytes = fileReader(file, (await file.stat()).size);
    for await (const entry of walkTar(bytes, path)) {
      if (entry.path !== 'manifest') continue;
      const manifest = await bytes.read(entry.size);
      return { manifest, end: entry.offset + manifest.length + tarPadding(manifest.length).length };
    }
  } finally {
    await file.close();
  }
  throw new IntegrityError(`signing ${path}: it has no manifest`);
}

async function outputOf(command: string, manifest: Buffer, signal?: AbortSignal): Promise<Uint8Array> {
  const running = execa(command, {
    shell: true,
    input: manifest,
    encoding: 'buffer',
    stripFinalNewline: false,
    maxBuffer: LONGEST_OUTPUT,
    ...(signal && { cancelSignal: signal }),
  });
  // What the shell started may outlive it, and would keep the output open.
  const close = () => [running.stdout, running.stderr].forEach((stream) => stream.destroy());
  signal?.addEventListener('abort', close, { once: true });
  try {
    return (await running).stdout;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ExecaError) throw failed(error as ExecaError);
    throw error;
  } finally {
    signal?.removeEventListener('abort', close);
  }
}

/** The command itself may hold a passphrase. */
function failed(error: Pick<ExecaError, 'exitCode' | 'signal' | 'isMaxBuffer' | 'stderr'>): ToolError {
  const { exitCode, signal, isMaxBuffer, stderr } = error;
  const said = stderr instanceof Uint8Array ? Buffer.from(stderr).toString('utf8') : '';
  const last = said.trimEnd().split('\n').at(-1) ?? '';
  const how = isMaxBuffer ? 'it prints too much' : `exit code ${exitCode ?? signal ?? 'unknown'}`;
  const what = last === '' ? how : `${how}: ${redact(last)}`;
  return new ToolError(`signing: the command of --sign-with failed: ${what}`, { hint: HINT });
}
