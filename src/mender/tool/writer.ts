import { createWriteStream } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ToolError, messageOf } from '../../errors.ts';
import { ensureFolder, fileSize, temporaryBeside } from '../../io/files.ts';
import { redact } from '../../io/redact.ts';
import type { TarFile } from '../../tar/tar.ts';
import type { PackContext } from '../write/packing.ts';
import type { Payload } from '../write/files.ts';
import { offBoundary } from '../write/files.ts';
import { readArtifactFile } from '../read/readFile.ts';
import type { ArtifactSpec, Compression } from '../spec.ts';
import { artifactMode, isPrivateArtifact } from '../spec.ts';
import type { ToolVersion } from './tool.ts';
import { OTHER_WRITER, lastLine, runTool } from './tool.ts';
import type { ToolPaths } from './arguments.ts';
import { toolArguments } from './arguments.ts';

const LOOK_EVERY_MS = 500;

export interface ToolInput {
  spec: ArtifactSpec;
  payload: Payload;
  compression: Compression;
  version: ToolVersion;
}

/**
 * Makes mender-artifact write the artifact to `path`, from payload files in a temporary folder next
 * to it, and returns its length in bytes. Throws ToolError with the output of mender-artifact if it
 * fails, or writes nothing or a broken artifact.
 */
export async function writeWithTool(input: ToolInput, path: string, context: PackContext): Promise<number> {
  const folder = temporaryBeside(path);
  // mender-artifact writes only into this folder, so nothing stays behind if it is killed.
  const work = join(folder, 'work');
  const output = join(work, 'new.mender');
  try {
    // The parts in it may hold secrets.
    await ensureFolder(work, 0o700);
    const paths = { ...(await writeParts(folder, input, context)), output };
    const { spec, payload, compression, version } = input;
    const commandLine = toolArguments(spec, payload, compression, version, paths);
    const hint = spec.extraArguments.length > 0 ? 'check the arguments after --' : OTHER_WRITER;
    const run = { doing: `packing ${spec.artifactName}`, temporary: work, hint, ...context };
    const said = await watched(runTool(commandLine, run), output, context);
    const size = await writtenSize(output, said);
    if (isPrivateArtifact(spec)) await chmod(output, artifactMode(spec));
    await rename(output, path);
    await checkWritten(path, spec.artifactName);
    return size;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Shows how many bytes `running` has written next to `output`, as mender-artifact shows no
 * progress, and at the end the size of `output`.
 */
async function watched<T>(running: Promise<T>, output: string, { progress }: PackContext): Promise<T> {
  const task = progress?.start('packing with mender-artifact');
  let [shown, hasEnded] = [0, false];
  const show = (bytes: number): void => {
    task?.advance(bytes - shown);
    shown = bytes;
  };
  const look = async (): Promise<void> => {
    const written = await bytesIn(dirname(output));
    if (!hasEnded) show(Math.max(written, shown));
  };
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  try {
    const result = await running;
    hasEnded = true;
    show((await fileSize(output)) ?? 0);
    return result;
  } finally {
    clearInterval(timer);
    task?.end();
  }
}

/** Files that disappear meanwhile count as empty. */
async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = names.map((name) => fileSize(join(folder, name)).catch(() => 0));
  return (await Promise.all(sizes)).reduce<number>((sum, size) => sum + (size ?? 0), 0);
}

async function writeParts(
  folder: string,
  { payload }: ToolInput,
  { signal }: PackContext,
): Promise<Omit<ToolPaths, 'output'>> {
  const files = offBoundary(payload.files);
  for (const file of files) await writeEntry(file, join(folder, file.path), signal);
  const metaData = join(folder, 'meta-data.json');
  await writeFile(metaData, JSON.stringify(payload.metaData));
  await mkdir(join(folder, 'scripts'));
  for (const { name, content } of payload.scripts) {
    await writeFile(join(folder, 'scripts', name), content, { mode: 0o755 });
  }
  return {
    files: files.map((file) => join(folder, file.path)),
    metaData,
    scripts: payload.scripts.map(({ name }) => join(folder, 'scripts', name)),
  };
}

async function writeEntry({ body }: TarFile, path: string, signal?: AbortSignal): Promise<void> {
  if (body instanceof Uint8Array) return writeFile(path, body);
  signal?.throwIfAborted();
  return pipeline(Readable.from(body(), { objectMode: false }), createWriteStream(path));
}

/** mender-artifact up to 4.0.0 exits with 0 after some errors. */
async function writtenSize(path: string, said: string): Promise<number> {
  const size = await fileSize(path);
  if (size !== undefined && size > 0) return size;
  throw new ToolError(`packing: mender-artifact wrote no artifact: ${redact(lastLine(said))}`, {
    hint: OTHER_WRITER,
  });
}

/**
 * mender-artifact up to 4.0.0 may also leave a broken artifact and exit with 0. Throws ToolError
 * for one.
 */
async function checkWritten(path: string, artifactName: string): Promise<void> {
  const broken = (why: string, cause?: unknown) =>
    new ToolError(`packing ${artifactName}: mender-artifact wrote a broken artifact: ${why}`, {
      hint: OTHER_WRITER,
      cause,
    });
  const { name } = await readArtifactFile(path).catch((error: unknown) => {
    throw broken(messageOf(error), error);
  });
  if (name !== artifactName) throw broken(`its name is ${JSON.stringify(name)}`);
}
