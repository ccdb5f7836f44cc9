import type { KeyObject } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { NotFoundError, systemCodeOf } from '../../errors.ts';
import { fileError } from '../../io/files.ts';
import { readAhead } from '../../io/verify.ts';
import { eachFile } from './nested.ts';
import type { Outer } from './outer.ts';
import { reportOf, takeEntry } from './readOuter.ts';
import type { ArtifactReport, ArtifactVisitor } from './report.ts';

export interface ReadOptions {
  /** Checks the signature before anything else; an artifact without one is then an IntegrityError. */
  key?: KeyObject;
  visitor?: ArtifactVisitor;
  /** True to compare the payload files' checksums without opening them: the report names no images and manifests then. */
  sumsOnly?: boolean;
  signal?: AbortSignal;
}

/**
 * Reads the artifact at `path` in one pass, compares every checksum in its manifest, and returns what it holds. Writes
 * nothing, and holds no layer in memory. Throws NotFoundError, IntegrityError for what does not match, and
 * UnsupportedError for other formats than version 3 with one payload.
 * https://github.com/mendersoftware/mender-artifact/blob/master/Documentation/artifact-format-v3.md
 */
export async function readArtifact(path: string, options: ReadOptions = {}): Promise<ArtifactReport> {
  const { key, visitor = {}, sumsOnly = false, signal } = options;
  const size = await sizeOf(path);
  const outer: Outer = {
    path,
    key,
    visitor,
    sumsOnly,
    hasVersion: false,
    sums: new Map(),
    signature: 'none',
    suffix: '',
  };
  try {
    await eachFile(untilAborted(readAhead(path), signal), path, (entry, body) =>
      takeEntry(outer, entry, body),
    );
    return { size, ...reportOf(outer) };
  } catch (error) {
    signal?.throwIfAborted();
    throw fileError(error, `reading ${path}`);
  }
}

async function* untilAborted(
  chunks: AsyncIterable<Buffer>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    yield chunk;
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') throw new NotFoundError(`reading ${path}: no such file`);
    throw fileError(error, `reading ${path}`);
  }
}
