import { createWriteStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ToolError } from '../errors.ts';
import { fileSize, temporaryBeside } from '../io/files.ts';
import { redact } from '../io/redact.ts';
import type { TarEntry } from '../io/tar.ts';
import type { PackContext } from './context.ts';
import type { Payload } from './files.ts';
import { offBoundary } from './files.ts';
import { readBack } from './readBack.ts';
import type { ArtifactSpec, Compression } from './spec.ts';
import type { ToolVersion } from './tool.ts';
import { runTool } from './tool.ts';
import type { ToolPaths } from './toolArguments.ts';
import { toolArguments } from './toolArguments.ts';

export interface ToolInput {
  spec: ArtifactSpec;
  payload: Payload;
  compression: Compression;
  version: ToolVersion;
}

/**
 * Lets mender-artifact write the artifact to `path`, from payload files in a temporary folder beside it, and returns
 * its length in bytes. Throws ToolError with what mender-artifact says when it fails or writes nothing.
 */
export async function writeWithTool(input: ToolInput, path: string, context: PackContext): Promise<number> {
  const folder = temporaryBeside(path);
  try {
    await mkdir(folder);
    const paths = { ...(await writeParts(folder, input, context)), output: path };
    const { spec, payload, compression, version } = input;
    const commandLine = toolArguments(spec, payload, compression, version, paths);
    const said = await runTool(commandLine, `packing ${spec.artifactName}`, context.signal);
    const size = await writtenSize(path, said);
    await readBack(path, spec.artifactName);
    return size;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
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

async function writeEntry({ body }: TarEntry, path: string, signal?: AbortSignal): Promise<void> {
  if (body instanceof Uint8Array) return writeFile(path, body);
  signal?.throwIfAborted();
  return pipeline(Readable.from(body(), { objectMode: false }), createWriteStream(path));
}

/** mender-artifact up to 4.0.0 exits with 0 after some errors. */
async function writtenSize(path: string, said: string): Promise<number> {
  const size = await fileSize(path);
  if (size !== undefined && size > 0) return size;
  throw new ToolError(`packing: mender-artifact wrote no artifact: ${redact(said.trim())}`, {
    hint: 'see above, or use --writer embedded',
  });
}
