import { basename } from 'node:path';
import type { SourceCommit } from '../../git/source.ts';
import type { PayloadImage, PayloadLayer } from '../../mender/payload.ts';
import type { Digest } from '../../oci/digest.ts';
import { digestOf, hexOf } from '../../oci/digest.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { Reference } from '../../oci/reference.ts';
import { formatReference } from '../../oci/reference.ts';
import type { BuildPlan } from '../plan/planBuild.ts';
import type { NamedPackage } from './packages/imagePackages.ts';

/** A finished artifact, for the SBOM and the provenance. */
export interface DescribedArtifact {
  path: string;
  digest: Digest;
  plan: BuildPlan;
  images: readonly PayloadImage[];
  /** What git says about the folder of the Compose file. */
  source: SourceCommit | undefined;
  /** By the id of the image. An image whose layers were not all at hand has none. */
  packages: ReadonlyMap<string, readonly NamedPackage[]>;
  /** Of this tool. */
  toolVersion: string;
  /**
   * The time in the documents, in seconds since 1970. Without it they have no time, and are the
   * same every time.
   */
  modificationTime?: number | undefined;
}

/**
 * Returns an SBOM of the artifact: its images with their layers, by digest, and with their
 * packages. Equal artifacts give equal documents. Pure.
 * https://cyclonedx.org/docs/1.6/json/
 */
export function cycloneDx(artifact: DescribedArtifact): unknown {
  const { digest, plan, images, packages, toolVersion } = artifact;
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(digest)}`,
    version: 1,
    metadata: {
      ...timestamp(artifact),
      tools: { components: [{ type: 'application', name: 'mender-docker-delta', version: toolVersion }] },
      component: {
        type: 'application',
        'bom-ref': 'artifact',
        name: plan.application,
        version: plan.version,
        hashes: hashes(digest),
        properties: properties({
          file: basename(artifact.path),
          artifactName: plan.artifactName,
          base: plan.baseline?.metadata.version,
        }),
      },
    },
    components: images.map((image) => imageComponent(image, plan, packages.get(image.id))),
    dependencies: [
      { ref: 'artifact', dependsOn: images.map(({ id }) => id) },
      ...images.map(({ id }) => ({ ref: id })),
    ],
  };
}

function imageComponent(
  image: PayloadImage,
  plan: BuildPlan,
  packages: readonly NamedPackage[] | undefined,
): unknown {
  const { id, name, platform, config, layers } = image;
  const planned = plan.images.find(({ image: own }) => own.id === id);
  return {
    type: 'container',
    'bom-ref': id,
    name: formatReference({ registry: name.registry, repository: name.repository }),
    version: name.tag ?? 'latest',
    hashes: hashes(digestOf(config)),
    purl: packageUrl(planned?.image.image.reference ?? name, image, planned?.image.image.manifestDigest),
    properties: properties({
      platform: formatPlatform(platform),
      services: planned?.image.services.join(' '),
      base: image.current && formatReference(image.current),
      packages: packages === undefined ? 'not read' : String(packages.length),
    }),
    components: [
      ...layers.map((layer, position) => layerComponent(layer, `${id}/${position}`)),
      ...(packages ?? []).map((found) => packageComponent(found, id)),
    ],
  };
}

function layerComponent({ diffID, size, content }: PayloadLayer, reference: string): unknown {
  const from = content.kind === 'delta' ? content.from : undefined;
  return {
    type: 'file',
    'bom-ref': reference,
    name: diffID,
    hashes: hashes(diffID),
    properties: properties({ shipped: content.kind, size: String(size), from }),
  };
}

function packageComponent({ name, version, purl }: NamedPackage, image: string): unknown {
  return { type: 'library', 'bom-ref': `${image}/${purl}`, name, version, purl };
}

/** https://github.com/package-url/purl-spec/blob/main/types-doc/oci-definition.md */
export function packageUrl(
  { registry, repository, tag }: Reference,
  { platform }: Pick<PayloadImage, 'platform'>,
  manifestDigest?: Digest,
): string {
  const name = repository.split('/').at(-1) ?? repository;
  const version = manifestDigest === undefined ? '' : `@${encodeURIComponent(manifestDigest)}`;
  const query = new URLSearchParams({
    arch: platform.architecture,
    repository_url: `${registry}/${repository}`,
    ...(tag === undefined ? {} : { tag }),
  });
  return `pkg:oci/${encodeURIComponent(name)}${version}?${query.toString()}`;
}

function timestamp({ modificationTime }: DescribedArtifact): { timestamp?: string } {
  return modificationTime === undefined ? {} : { timestamp: new Date(modificationTime * 1000).toISOString() };
}

function hashes(digest: Digest): { alg: string; content: string }[] {
  return [{ alg: 'SHA-256', content: hexOf(digest) }];
}

function properties(values: Record<string, string | undefined>): { name: string; value: string }[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name: `mender-docker-delta:${name}`, value }],
  );
}

/**
 * Makes a UUID of a digest: version 8, https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8
 */
function uuidOf(digest: Digest): string {
  const hex = hexOf(digest);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`];
  return [...parts, hex.slice(20, 32)].join('-');
}
