import { link, lstat, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { IntegrityError, UnsupportedError, UsageError, systemCodeOf } from '../../errors.ts';
import type { Wording } from '../../errors.ts';
import { fileError, fileSize, temporaryBeside } from '../../io/files.ts';
import { forgetTemporary, removeAbandonedFiles } from '../../io/temporaries.ts';
import { digestOfFile } from '../../io/verify.ts';
import { readArtifact } from '../../mender/read/read.ts';
import type { ArtifactReport } from '../../mender/read/report.ts';
import type { ArtifactSummary } from '../../mender/spec.ts';
import { removeSideFiles } from '../describe/describe.ts';

/**
 * Throws UsageError if something other than a regular file is at `path`. An artifact is renamed to
 * its place, which would replace a link, or a device for everybody. `option`: names the file.
 */
export async function refuseOddFile(path: string, option: '-a' | '-o' = '-a'): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw fileError(error, `writing ${path}`);
  });
  if (found === undefined || found.isFile()) return;
  const named = (wording: Wording): string =>
    option === '-a' ? wording.option('artifact-filename') : option;
  if (found.isDirectory()) {
    throw new UsageError(`writing ${path}: expected a regular file, found a folder`, {
      hint: (wording) => `name a file in it with ${named(wording)}, like ${join(path, 'app-1.0.mender')}`,
    });
  }
  const kind = found.isSymbolicLink() ? 'a link' : 'a device or named pipe';
  throw new UsageError(`writing ${path}: expected a regular file or none, found ${kind}`, {
    hint: (wording) => `choose another file with ${named(wording)}, or remove this one`,
  });
}

/**
 * Writes an artifact with `write` and moves it to `destination`. The side files of another artifact
 * go before that. Without `force`, throws UsageError if a file with another artifact is there, and
 * leaves that file as it is, also if it came there while this one was written.
 */
export async function writeUnlessOther(
  destination: string,
  force: boolean,
  write: (path: string) => Promise<ArtifactSummary>,
): Promise<ArtifactSummary> {
  await removeAbandonedFiles(dirname(destination));
  const aside = temporaryBeside(destination);
  try {
    const summary = await write(aside);
    await place(aside, destination, force);
    return { ...summary, path: destination };
  } catch (error) {
    if (error instanceof Error) error.message = error.message.replaceAll(aside, destination);
    throw error;
  } finally {
    await rm(aside, { force: true });
    forgetTemporary(aside);
  }
}

/** Gives the file its final name, unless another artifact has that name and `force` is false. */
async function place(aside: string, destination: string, force: boolean): Promise<void> {
  if (await isFree(destination)) {
    await removeSideFiles(destination);
    if (await isNewName(aside, destination)) return;
  }
  const isTaken = !(await isFree(destination));
  if (isTaken && !force && !(await holdSame(aside, destination))) throw otherFile(destination);
  if (!isTaken || !(await haveSameBytes(aside, destination))) await removeSideFiles(destination);
  await rename(aside, destination);
}

async function isFree(path: string): Promise<boolean> {
  return (await fileSize(path)) === undefined;
}

/** Side files tell of the bytes: they stay true where these stay. */
async function haveSameBytes(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([digestOfFile(one), digestOfFile(other)]);
  return first.digest === second.digest;
}

/**
 * Gives the file a second name in one step that fails if the name is taken. Returns false then, and
 * where the file system knows no second names.
 */
async function isNewName(path: string, name: string): Promise<boolean> {
  try {
    await link(path, name);
    return true;
  } catch {
    return false;
  }
}

/**
 * Throws UsageError unless nothing is at `path`, or an artifact that may be replaced. A file that
 * is no artifact stays.
 */
export async function refuseToReplace(
  path: string,
  mayReplace: (artifact: ArtifactReport) => boolean,
): Promise<void> {
  await refuseOddFile(path);
  if ((await fileSize(path)) === undefined) return;
  const found = await reportOf(path);
  if (found !== undefined && mayReplace(found)) return;
  throw new UsageError(`writing ${path}: it exists and holds something else`, {
    hint: 'choose another file, or remove this one',
  });
}

function otherFile(path: string): UsageError {
  return new UsageError(`writing ${path}: it exists and holds something else than the new artifact`, {
    hint: ({ option }) =>
      `give the release another version, choose another file with ${option('artifact-filename')}, or replace this one with ${option('force')}`,
  });
}

/**
 * True if both files hold the same artifact. Their bytes may differ, because mender-artifact writes
 * the time into them and signatures are random.
 */
async function holdSame(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([contentOf(one), contentOf(other)]);
  return first !== undefined && first === second;
}

async function contentOf(path: string): Promise<string | undefined> {
  const report = await reportOf(path);
  return report === undefined ? undefined : comparable(report);
}

/** What the artifact at `path` says. Undefined for a file that is no artifact, or a damaged one. */
async function reportOf(path: string): Promise<ArtifactReport | undefined> {
  try {
    return await readArtifact(path, { sumsOnly: true });
  } catch (error) {
    if (error instanceof IntegrityError || error instanceof UnsupportedError) return undefined;
    throw error;
  }
}

function comparable(report: ArtifactReport): string {
  const { artifactName, deviceTypes, module, depends, provides, clears, scripts, signature } = report;
  const { dependsOnArtifactNames, dependsOnGroups, metaData = {} } = report;
  const facts = [
    artifactName,
    deviceTypes,
    module,
    sorted(depends),
    sorted(provides),
    clears,
    scripts,
    signature,
  ];
  const sums = report.files.map(({ path, sha256 }) => `${path} ${sha256}`).sort();
  return JSON.stringify([facts, dependsOnArtifactNames, dependsOnGroups, sorted(metaData), sums]);
}

function sorted(value: object): unknown[] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}
