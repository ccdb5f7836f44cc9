import { basename } from 'node:path';
import { digestOf, hexOf } from '../../oci/digest.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { formatReference } from '../../oci/reference.ts';
import type { SettledRequest } from '../request.ts';
import type { DescribedArtifact } from './sbom.ts';
import { packageUrl } from './sbom.ts';

/**
 * Returns what the artifact was made of, and how, as an in-toto statement with SLSA provenance. It
 * holds no argument that could be a secret. Pure. https://slsa.dev/spec/v1.0/provenance
 */
export function provenance(artifact: DescribedArtifact, request: SettledRequest): unknown {
  const { path, digest, plan, toolVersion } = artifact;
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: basename(path), digest: { sha256: hexOf(digest) } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'urn:mender-docker-delta:build:1',
        externalParameters: {
          application: plan.application,
          version: plan.version,
          artifactName: plan.artifactName,
          deviceTypes: request.deviceTypes,
          platform: formatPlatform(request.platform),
          module: request.module,
          base: baseOf(artifact),
        },
        internalParameters: parametersOf(request),
        resolvedDependencies: [...commitOf(artifact), ...imagesOf(artifact), ...baseImagesOf(artifact)],
      },
      runDetails: {
        builder: { id: 'urn:mender-docker-delta', version: { 'mender-docker-delta': toolVersion } },
        ...metadataOf(artifact),
      },
    },
  };
}

function baseOf({ plan }: DescribedArtifact): unknown {
  const metadata = plan.baseline?.metadata;
  if (metadata === undefined) return null;
  return { version: metadata.version, artifactName: metadata.artifactName ?? null };
}

function parametersOf(request: SettledRequest): unknown {
  const { compression, writer, encoder, effort, decoder, softwareFilesystem } = request;
  return { compression, writer, encoder, effort, decoder, softwareFilesystem };
}

/** The commit that the Compose file is from. A folder outside of git has none. */
function commitOf({ source }: DescribedArtifact): unknown[] {
  if (source === undefined) return [];
  const { commit, folder, isModified: modified, uri } = source;
  const digest = { gitCommit: commit };
  return [{ name: 'source', uri, digest, annotations: { role: 'source', folder, modified } }];
}

/** The new images, by the digest of their config, which is the same everywhere. */
function imagesOf({ plan, images }: DescribedArtifact): unknown[] {
  return images.map((image) => {
    const planned = plan.images.find(({ image: own }) => own.id === image.id)?.image;
    return {
      name: formatReference(image.name),
      uri: packageUrl(planned?.image.reference ?? image.name, image, planned?.image.manifestDigest),
      digest: { sha256: hexOf(digestOf(image.config)) },
      annotations: {
        role: 'image',
        services: planned?.services ?? [],
        layers: image.layers.map(({ diffID, content }) => ({ diffID, shipped: content.kind })),
      },
    };
  });
}

/** The base images that layers were left out of, or made from. */
function baseImagesOf({ plan, images }: DescribedArtifact): unknown[] {
  const used = new Set(images.filter(({ current }) => current !== undefined).map(({ id }) => id));
  return plan.images.flatMap(({ image, base }) =>
    base === undefined || !used.has(image.id)
      ? []
      : [
          {
            name: formatReference(base.name),
            digest: { sha256: hexOf(base.configDigest) },
            annotations: { role: 'base', layers: base.layers.map((diffID) => ({ diffID })) },
          },
        ],
  );
}

function metadataOf({ modificationTime }: DescribedArtifact): { metadata?: { finishedOn: string } } {
  if (modificationTime === undefined) return {};
  return { metadata: { finishedOn: new Date(modificationTime * 1000).toISOString() } };
}
