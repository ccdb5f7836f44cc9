import type { TarFile } from '../../tar/tar.ts';
import { tarFile, tarSize } from '../../tar/tar.ts';
import type { Payload } from './files.ts';
import { BEHIND_BOUNDARY, endsOnBoundary } from './files.ts';
import type { ArtifactSpec } from '../spec.ts';

/**
 * https://github.com/mendersoftware/mender-artifact/blob/master/Documentation/artifact-format-v3.md
 */
interface HeaderInfo {
  payloads: { type: string }[];
  artifact_provides: { artifact_name: string; artifact_group?: string };
  artifact_depends: { device_type: string[]; artifact_name?: string[]; artifact_group?: string[] };
}

interface TypeInfo {
  type: string;
  artifact_depends?: Record<string, string>;
  artifact_provides?: Record<string, string>;
  clears_artifact_provides?: string[];
}

/** What a device must have to accept the artifact, and what it has after the update. */
export interface Dependencies {
  depends: Record<string, string>;
  provides: Record<string, string>;
  /** Only patterns that end with `.*`: devices fail on others. */
  clears: string[];
}

/**
 * The name that an update module gives the application: the middle part of the key of its version.
 */
export function softwareNameOf(module: string, application: string): string {
  return module === 'app' ? application : `mender-docker-compose.${application}`;
}

/** The key under which devices report the version of the software. */
export function versionKey(softwareFilesystem: string, softwareName: string): string {
  return `${softwareFilesystem}.${softwareName}.version`;
}

/**
 * Depends, provides and clears of the payload. All keys begin with `<filesystem>.<software name>`.
 */
export function dependenciesOf(
  spec: Pick<ArtifactSpec, 'softwareFilesystem' | 'softwareVersion' | 'dependsOnVersion' | 'module'>,
  { softwareName }: Pick<Payload, 'softwareName'>,
): Dependencies {
  const key = versionKey(spec.softwareFilesystem, softwareName);
  // The official module runs one project: an artifact of another project replaces it.
  const cleared = spec.module === 'docker-compose' ? 'mender-docker-compose' : softwareName;
  return {
    depends: spec.dependsOnVersion === undefined ? {} : { [key]: spec.dependsOnVersion },
    provides: { [key]: spec.softwareVersion },
    clears: [`${spec.softwareFilesystem}.${cleared}.*`],
  };
}

/** `header-info` of the artifact. */
function headerInfo(spec: ArtifactSpec, payload: Pick<Payload, 'type'>): HeaderInfo {
  const base = spec.dependsOnArtifactName;
  return {
    payloads: [{ type: payload.type }],
    artifact_provides: { artifact_name: spec.artifactName },
    artifact_depends: {
      ...(base === undefined ? {} : { artifact_name: [base] }),
      device_type: spec.deviceTypes,
    },
  };
}

/** `type-info` of the payload. */
function typeInfo(spec: ArtifactSpec, payload: Payload): TypeInfo {
  const { depends, provides, clears } = dependenciesOf(spec, payload);
  return {
    type: payload.type,
    ...(Object.keys(depends).length === 0 ? {} : { artifact_depends: depends }),
    artifact_provides: provides,
    clears_artifact_provides: clears,
  };
}

/** The files of `header.tar`, in the order that the format asks for. */
export function headerEntries(spec: ArtifactSpec, payload: Payload): TarFile[] {
  const entries = [
    tarFile('header-info', JSON.stringify(headerInfo(spec, payload))),
    ...payload.scripts.map(({ name, content }) => tarFile(`scripts/${name}`, content, 0o755)),
    tarFile('headers/0000/type-info', JSON.stringify(typeInfo(spec, payload))),
  ];
  const path = 'headers/0000/meta-data';
  const metaData = JSON.stringify(payload.metaData);
  const whole = [...entries, tarFile(path, metaData)];
  return endsOnBoundary(tarSize(whole))
    ? [...entries, tarFile(path, metaData + ' '.repeat(BEHIND_BOUNDARY))]
    : whole;
}
