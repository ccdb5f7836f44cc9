import type { Artifact } from '../../server/artifacts.ts';

/** An artifact on the server that brings a version of one application. */
export interface ReleaseArtifact {
  id: string;
  name: string;
  /** The version that devices have afterwards. */
  version: string;
  deviceTypes: readonly string[];
  /** The versions that it can be installed over. Undefined for a full artifact. */
  bases: readonly string[] | undefined;
  /** Bytes of the file. */
  size: number;
  /** ISO 8601. */
  modified: string;
}

/**
 * The artifacts that provide a version under `key`. Leaves out those that depend on more than the
 * device type and that version, since the inventory does not tell whether devices meet it. Pure.
 */
export function releaseArtifacts(artifacts: readonly Artifact[], key: string): ReleaseArtifact[] {
  return artifacts.flatMap((artifact) => {
    const version = artifact.artifact_provides?.[key];
    const depends = artifact.artifact_depends ?? {};
    const more = Object.keys(depends).filter((name) => name !== key && name !== 'device_type');
    if (version === undefined || more.length > 0) return [];
    const { id, name, modified, size = 0, device_types_compatible: deviceTypes } = artifact;
    return [{ ...{ id, name, modified, size, deviceTypes, version }, bases: depends[key] }];
  });
}

/** True if a device of this version and type can install the artifact. Pure. */
export function fitsDevice(
  { bases, deviceTypes }: ReleaseArtifact,
  { version, type }: { version: string | undefined; type: string | undefined },
): boolean {
  const hasType = type !== undefined && deviceTypes.includes(type);
  return hasType && (bases === undefined || (version !== undefined && bases.includes(version)));
}

/** The smallest artifact that a device of this version and type can install. Pure. */
export function smallestFor(
  artifacts: readonly ReleaseArtifact[],
  device: { version: string | undefined; type: string | undefined },
): ReleaseArtifact | undefined {
  return artifacts.filter((one) => fitsDevice(one, device)).sort((a, b) => a.size - b.size)[0];
}

/** The version of the artifact that was changed last. Pure. */
export function newestVersion(artifacts: readonly ReleaseArtifact[]): string | undefined {
  const sorted = [...artifacts].sort((a, b) => Date.parse(b.modified) - Date.parse(a.modified));
  return sorted[0]?.version;
}
