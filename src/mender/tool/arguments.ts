import { UnsupportedError, UsageError } from '../../errors.ts';
import type { Payload } from '../write/files.ts';
import { dependenciesOf } from '../write/header.ts';
import type { ArtifactSpec, Compression } from '../spec.ts';
import type { ToolVersion } from './tool.ts';
import { isAtLeast } from './tool.ts';

/** The paths of what mender-artifact reads, and of what it writes. */
export interface ToolPaths {
  output: string;
  files: readonly string[];
  metaData: string;
  scripts: readonly string[];
}

const SINCE = {
  zstd: [3, 10, 1],
  pkcs8: [3, 10, 1],
  noProgress: [4, 1, 0],
  compatibleTypes: [4, 3, 0],
} as const;

/** True if this version of mender-artifact supports the compression. */
export function canCompress(version: ToolVersion, compression: Compression): boolean {
  return compression !== 'zstd' || isAtLeast(version, SINCE.zstd);
}

/**
 * True if this version of mender-artifact reads a private key whose first PEM block is `pemBlock`.
 * It looks at the first block only.
 */
export function canSign(version: ToolVersion, pemBlock: string): boolean {
  if (pemBlock === 'PRIVATE KEY') return isAtLeast(version, SINCE.pkcs8);
  return pemBlock === 'RSA PRIVATE KEY' || pemBlock === 'EC PRIVATE KEY';
}

/**
 * The arguments that make this version of mender-artifact write the artifact. Throws
 * UnsupportedError for a compression that it does not support, and UsageError for a name that it
 * would split.
 */
export function toolArguments(
  spec: ArtifactSpec,
  payload: Payload,
  compression: Compression,
  version: ToolVersion,
  paths: ToolPaths,
): string[] {
  const { depends, clears } = dependenciesOf(spec, payload);
  return [
    ...['write', 'module-image', '--type', payload.type, '--artifact-name', spec.artifactName],
    ...each(
      isAtLeast(version, SINCE.compatibleTypes) ? '--compatible-types' : '--device-type',
      spec.deviceTypes,
    ),
    ...['--output-path', paths.output, '--meta-data', paths.metaData],
    ...each('--file', paths.files),
    ...each('--script', paths.scripts),
    ...['--software-filesystem', spec.softwareFilesystem, '--software-name', payload.softwareName],
    ...['--software-version', spec.softwareVersion, '--no-default-clears-provides'],
    ...each('--clears-provides', clears),
    ...each('--depends', Object.entries(depends).map(pair)),
    ...each('--artifact-name-depends', present(spec.dependsOnArtifactName)),
    ...['--compression', compressionName(compression, version)],
    ...each('--key', present(spec.signKey)),
    ...(isAtLeast(version, SINCE.noProgress) ? ['--no-progress'] : []),
    ...spec.extraArguments,
  ];
}

function each(flag: string, values: readonly string[]): string[] {
  return values.flatMap((value) => [flag, value]);
}

function present(value: string | undefined): string[] {
  return value === undefined ? [] : [value];
}

/** mender-artifact splits at the first colon. */
function pair([key, value]: [string, string]): string {
  if (!key.includes(':')) return `${key}:${value}`;
  throw new UsageError(`mender-artifact can't take the name ${JSON.stringify(key)}, because of its colon`, {
    hint: ({ option }) => `choose a name without one, or use ${option('writer', 'embedded')}`,
  });
}

function compressionName(compression: Compression, version: ToolVersion): string {
  if (compression !== 'zstd') return compression;
  if (isAtLeast(version, SINCE.zstd)) return 'zstd_better';
  throw new UnsupportedError(`mender-artifact ${version.join('.')} can't compress with zstd`, {
    hint: ({ option }) =>
      `use mender-artifact 3.10.1 or later, or ${option('compression', 'lzma, gzip or none')}`,
  });
}
