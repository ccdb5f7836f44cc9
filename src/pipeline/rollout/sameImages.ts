import { UsageError } from '../../errors.ts';
import { readRecord } from '../../mender/record.ts';
import type { ArtifactRecord } from '../../mender/record.ts';
import type { Artifact } from '../../server/artifacts.ts';
import { metaDataOf } from '../../server/artifacts.ts';
import type { NewImage } from '../images/services.ts';

/** The release that a rollout brings. */
interface BroughtRelease {
  version: string;
  /** The key under which devices report the version. */
  key: string;
  deviceTypes: readonly string[];
  /** As the record of an artifact names it. */
  platform: string;
  images: readonly NewImage[];
}

/**
 * Throws UsageError if the server has an artifact of this version with other images, as after a tag
 * has moved: devices of one version would run different programs. Artifacts without a record tell
 * nothing. Pure.
 */
export function requireImagesOfServer(artifacts: readonly Artifact[], release: BroughtRelease): void {
  const { version, key, deviceTypes, platform, images } = release;
  const found = new Map(
    images.flatMap(({ services, image }) => services.map((service) => [service, image.configDigest])),
  );
  for (const artifact of artifacts) {
    const record = readRecord(metaDataOf(artifact));
    const isOfRelease =
      artifact.artifact_provides?.[key] === version &&
      artifact.device_types_compatible.some((type) => deviceTypes.includes(type));
    if (record === undefined || !isOfRelease || record.platform !== platform) continue;
    const others = differingServices(record, found);
    if (others.length === 0) continue;
    throw new UsageError(
      `the artifact ${artifact.name} on the server has version ${version} with other images: ${others.join(', ')}`,
      {
        hint: 'a tag may have moved since: give the release another version, or name the images by their digests',
      },
    );
  }
}

function differingServices({ images }: ArtifactRecord, found: ReadonlyMap<string, string>): string[] {
  const recorded = new Map(
    images.flatMap(({ services, configDigest }) => services.map((service) => [service, configDigest])),
  );
  const services = new Set([...recorded.keys(), ...found.keys()]);
  return [...services].filter((service) => recorded.get(service) !== found.get(service)).sort();
}
