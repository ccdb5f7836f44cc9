import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GenericSchema } from 'valibot';
import { array, check, exactOptional, looseObject, pipe, record, safeParse, string, unknown } from 'valibot';
import type { ArtifactMetadata, ImageMetadata } from '../../cache/metadata.ts';
import { NotFoundError, UsageError } from '../../errors.ts';
import { writeAtomically } from '../../io/files.ts';
import type { Log } from '../../io/log.ts';
import { readUserFileIfAny } from '../../io/readUserFile.ts';
import { isLibraryReference } from '../../library/reference.ts';
import type { Digest } from '../../oci/digest.ts';
import { DIGEST, parseJsonIfAny } from '../../oci/json.ts';
import type { Platform } from '../../oci/platform.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { deviceReference, formatReference, parseReference } from '../../oci/reference.ts';
import type { ResolvedImage } from '../../oci/image.ts';
import type { NewImage } from '../images/services.ts';
import { metadataOf } from './metadata.ts';

/** The lock file, next to the Compose file. It belongs into git. */
export const LOCK_FILE = 'mender-docker-delta.lock';

/** An image as the lock file pins it. */
interface LockedImage {
  /** As the Compose file names it. */
  image: string;
  manifestDigest?: Digest;
  configDigest: Digest;
  /** Base first. */
  diffIDs: Digest[];
}

/** Which image each service runs, by platform and service. */
export type Lock = Record<string, Record<string, LockedImage>>;

/** For valibot a list is an object. */
const notList = pipe(
  unknown(),
  check((value) => !Array.isArray(value), 'Object'),
);
/** An object with any keys. */
function mapping<Value extends GenericSchema>(value: Value) {
  return pipe(notList, record(string(), value));
}

const LOCK = mapping(
  mapping(
    looseObject({
      image: string(),
      manifestDigest: exactOptional(DIGEST),
      configDigest: DIGEST,
      diffIDs: array(DIGEST),
    }),
  ),
);

/**
 * Returns the lock file in `folder`, or undefined if there is none. Throws UsageError for one that
 * is damaged.
 */
export async function readLock(folder: string): Promise<Lock | undefined> {
  const path = join(folder, LOCK_FILE);
  const lock = await lockAt(path);
  if (lock !== 'damaged') return lock;
  throw new UsageError(`reading ${path}: expected the lock of an application`, {
    hint: 'write it again with mender-docker-delta lock',
  });
}

async function lockAt(path: string): Promise<Lock | 'damaged' | undefined> {
  const bytes = await readUserFileIfAny(path);
  if (bytes === undefined) return undefined;
  const result = safeParse(LOCK, parseJsonIfAny(bytes.toString('utf8')));
  return result.success ? result.output : 'damaged';
}

/**
 * Returns the part of a lock for these images. Each service has its own reference, also if two
 * references mean one image. Pure.
 */
export function lockOf(images: readonly NewImage[]): Lock[string] {
  const entries = images.flatMap(({ resolved }) =>
    [...resolved].map(([service, image]) => [service, lockedOf(image)] as const),
  );
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function lockedOf({ reference, configDigest, manifestDigest, layers, source }: ResolvedImage): LockedImage {
  const image = isLibraryReference(source) ? source : formatReference(reference);
  const pinned = manifestDigest === undefined ? {} : { manifestDigest };
  return { image, ...pinned, configDigest, diffIDs: layers.map(({ diffID }) => diffID) };
}

/**
 * Writes the images of one platform into the lock file in `folder`. Returns its path. Replaces a
 * damaged file, as after a merge with conflicts, with a warning.
 */
export async function writeLock(
  folder: string,
  platform: Platform,
  images: readonly NewImage[],
  log: Log,
): Promise<string> {
  const path = join(folder, LOCK_FILE);
  const before = await lockAt(path);
  if (before === 'damaged') {
    log.warning(
      `${path} was damaged and is written again: run mender-docker-delta lock for every other platform as well`,
    );
  }
  const others = before === 'damaged' ? {} : before;
  const lock: Lock = { ...others, [formatPlatform(platform)]: lockOf(images) };
  const sorted = Object.fromEntries(Object.entries(lock).sort(([a], [b]) => (a < b ? -1 : 1)));
  const text = `${JSON.stringify(sorted, null, 2)}\n`;
  await writeAtomically(path, (temporary) => writeFile(temporary, text));
  return path;
}

/**
 * Throws unless the images are those of the lock file: NotFoundError if there is none for the
 * platform, UsageError that names every service that differs. Pure.
 */
export function requireLocked(
  lock: Lock | undefined,
  images: readonly NewImage[],
  platform: Platform,
  folder: string,
): void {
  const locked = lock?.[formatPlatform(platform)];
  const path = join(folder, LOCK_FILE);
  const hint = 'if these images are right, write it again with mender-docker-delta lock, and commit it';
  if (locked === undefined) {
    throw new NotFoundError(`--locked: ${path} has nothing for ${formatPlatform(platform)}`, { hint });
  }
  const differences = lockDifferences(locked, lockOf(images));
  if (differences.length === 0) return;
  throw new UsageError(`--locked: ${path} does not fit: ${differences.join('; ')}`, { hint });
}

/** Says how the images differ from the locked ones. Pure. */
export function lockDifferences(locked: Lock[string], found: Lock[string]): string[] {
  const services = [...new Set([...Object.keys(locked), ...Object.keys(found)])].sort();
  return services.flatMap((service) => {
    const [before, now] = [locked[service], found[service]];
    if (before === undefined) return [`service ${service} is not in it`];
    if (now === undefined) return [`there is no service ${service}`];
    if (before.image !== now.image) return [`${service} runs ${now.image}, locked is ${before.image}`];
    return before.configDigest === now.configDigest
      ? []
      : [`${now.image} is ${now.configDigest} now, locked is ${before.configDigest}`];
  });
}

/** A service of a Compose file. A service that is only built has no image. */
interface ServiceName {
  name: string;
  image?: string;
}

/**
 * Says which services of a Compose file the lock does not pin, or pins to another reference: the
 * Compose file was changed after the lock was written. Pure.
 */
export function unlockedServices(locked: Lock[string], services: readonly ServiceName[]): string[] {
  return services.flatMap(({ name, image }) => {
    if (image === undefined) return [];
    const one = locked[name];
    if (one === undefined) return [`service ${name} is not in it`];
    const written = writtenName(image);
    return one.image === written ? [] : [`${name} runs ${written}, locked is ${one.image}`];
  });
}

/**
 * Returns what an artifact of the locked images holds. The lock must pin every service that has an
 * image. Pure.
 */
export function lockedMetadata(
  locked: Lock[string],
  services: readonly ServiceName[],
  platform: Platform,
  names: Omit<ArtifactMetadata, 'services' | 'platform'>,
): ArtifactMetadata {
  const metadata = metadataOf(names, [], formatPlatform(platform));
  for (const { name, image } of services) {
    const one = image === undefined ? undefined : locked[name];
    if (one !== undefined) metadata.services[name] = { image: lockedImage(one) };
  }
  return metadata;
}

function lockedImage({ image, manifestDigest, configDigest: hash, diffIDs }: LockedImage): ImageMetadata {
  const ref = isLibraryReference(image) ? image : formatReference(deviceReference(parseReference(image)));
  return {
    ...{ ref, hash, layers: diffIDs.map((diffID) => ({ diffID })) },
    ...(image === ref ? {} : { found: image }),
    ...(manifestDigest === undefined ? {} : { manifestDigest }),
  };
}

function writtenName(image: string): string {
  return isLibraryReference(image) ? image : formatReference(parseReference(image));
}
