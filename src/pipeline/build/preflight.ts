import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { requireXz } from '../../compress/xz.ts';
import { requireEncoder } from '../../delta/engine.ts';
import { UsageError, UserError, systemCodeOf } from '../../errors.ts';
import { diskOf, fileError } from '../../io/files.ts';
import { readSigningKey } from '../../mender/sign.ts';
import { toolMissing, toolVersion } from '../../mender/tool/tool.ts';
import type { World } from '../images/world.ts';
import { shippedSizes } from '../plan/planBuild.ts';
import type { SettledRequest } from '../request.ts';
import { destinationsOf } from './build.ts';
import { refuseOddFile } from './output.ts';
import type { Prepared } from './prepare.ts';

/** A check of something that a build will need. It throws what is wrong. */
type Check = () => Promise<void>;

/**
 * Returns everything that would make the build fail later, as far as this machine tells: files that
 * can't be written, a full disk, missing programs, an unusable key. Fetches no layer.
 */
export async function localProblems(
  all: readonly Prepared[],
  { cache }: Pick<World, 'cache'>,
): Promise<UserError[]> {
  const paths = destinationsOf(all);
  // The settings are the same for all platforms.
  const first = all[0]?.request;
  const checks: Check[] = [
    ...paths.flatMap((path) => [() => refuseOddFile(path), () => requireWritable(path)]),
    () => cache.ensureWritable(),
    () => requireSpace(all, cache),
    ...(first === undefined
      ? []
      : [() => requireWriter(first), () => requireEncoder(first.encoder), () => requireKey(first)]),
  ];
  const problems = await Promise.all(checks.map(problemOf));
  return problems.filter((problem) => problem !== undefined);
}

async function problemOf(check: Check): Promise<UserError | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

/**
 * Throws UsageError if the folder of a new file, or the one that it would be made in, is read-only.
 */
async function requireWritable(path: string): Promise<void> {
  try {
    await access(await existingFolder(dirname(path)), constants.W_OK);
  } catch (error) {
    throw fileError(error, `writing ${path}`);
  }
}

/** The folder, or the nearest one above it that exists. */
async function existingFolder(folder: string): Promise<string> {
  try {
    await stat(folder);
    return folder;
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT' || folder === dirname(folder)) throw error;
    return existingFolder(dirname(folder));
  }
}

async function requireWriter({ writer, compression }: SettledRequest): Promise<void> {
  if (writer === 'mender-artifact' && (await toolVersion()) === undefined) throw toolMissing();
  if (['auto', 'lzma'].includes(compression)) await requireXz();
}

async function requireKey({ signKey }: SettledRequest): Promise<void> {
  if (signKey !== undefined) await readSigningKey(signKey);
}

/**
 * Throws UsageError if the disk can't take even the layers that must be fetched, as they travel.
 */
async function requireSpace(all: readonly Prepared[], cache: World['cache']): Promise<void> {
  const images = all.flatMap(({ plans }) => plans.flatMap((plan) => plan.images));
  let bytes = 0;
  for (const [diffID, size] of shippedSizes(images)) {
    if (!(await cache.layers.findAny(diffID))) bytes += size;
  }
  const { total, free } = await diskOf(await existingFolder(cache.root));
  // Some network disks do not tell their size.
  if (total === 0 || bytes <= free) return;
  throw new UsageError(
    `fetching layers into ${cache.root}: expected ${bytes} bytes of free disk at least, found ${free}`,
    { hint: 'make room with mender-docker-delta cache prune, or name another folder with --cache-dir' },
  );
}
