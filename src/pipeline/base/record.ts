import type { ArtifactMetadata } from '../../cache/metadata.ts';
import type { ArtifactRecord, RecordedImage } from '../../mender/record.ts';
import type { Artifact } from '../../server/artifacts.ts';
import { metaDataOf } from '../../server/artifacts.ts';
import { readRecord } from '../../mender/record.ts';
import type { Baseline } from './baseImages.ts';
import { findVersion } from './versionKey.ts';

/** Returns the record of an artifact, for its meta-data. Images keep their order. Pure. */
export function recordOf({ platform = '', services }: ArtifactMetadata): ArtifactRecord {
  const images = new Map<string, RecordedImage>();
  for (const [service, { image }] of Object.entries(services)) {
    const { ref, found, manifestDigest, hash: configDigest, layers = [] } = image;
    const known = images.get(`${configDigest} ${ref}`);
    if (known) known.services.push(service);
    else
      images.set(`${configDigest} ${ref}`, {
        ...{ services: [service], ref, configDigest },
        ...(found === undefined ? {} : { found }),
        ...(manifestDigest === undefined ? {} : { manifestDigest }),
        diffIDs: layers.map(({ diffID }) => diffID),
      });
  }
  return { platform, images: [...images.values()] };
}

/** Returns what is known of an artifact from its record. Pure. */
function metadataOfRecord(
  { platform, images }: ArtifactRecord,
  names: Omit<ArtifactMetadata, 'services' | 'platform'>,
): ArtifactMetadata {
  const services: ArtifactMetadata['services'] = {};
  for (const { services: own, ref, configDigest, diffIDs, found, manifestDigest } of images) {
    const image = {
      ...{ ref, hash: configDigest, layers: diffIDs.map((diffID) => ({ diffID })) },
      ...(found === undefined ? {} : { found }),
      ...(manifestDigest === undefined ? {} : { manifestDigest }),
    };
    for (const service of own) services[service] = { image };
  }
  return { ...names, platform, services };
}

/**
 * Returns the baseline that a server's description of an artifact amounts to. Its layers come from
 * the cache, or from the registry by digest. `key`: where devices report the version of the
 * application, as `keyOf` finds it. Undefined if the artifact has no record, or is of another
 * application. Pure.
 */
export function serverBaseline(artifact: Artifact, key: string, origin: string): Baseline | undefined {
  const record = readRecord(metaDataOf(artifact));
  const version = artifact.artifact_provides?.[key];
  if (record === undefined || version === undefined) return undefined;
  const module = moduleOf(artifact);
  const filesystem = /^(.+?)\.(mender-docker-compose\.)?[^.]+\.version$/.exec(key)?.[1];
  const names = {
    ...{ version, artifactName: artifact.name },
    ...(module === undefined ? {} : { module }),
    ...(filesystem === undefined ? {} : { softwareFilesystem: filesystem }),
  };
  return { metadata: metadataOfRecord(record, names), origin: `${version} (${origin})` };
}

/**
 * Returns the key under which devices with the artifact report the version of `application`, or
 * undefined if the artifact is of another one. Pure.
 */
export function keyOf(artifact: Artifact, application: string): string | undefined {
  return findVersion(artifact.artifact_provides ?? {}, moduleOf(artifact) ?? '', application)?.key;
}

function moduleOf({ updates }: Artifact): string | undefined {
  return updates?.[0]?.type_info?.type;
}
