import { writeAtomically } from '../../io/files.ts';
import { silentLog } from '../../io/log.ts';
import { tarFile } from '../../tar/tar.ts';
import { probeScript } from '../onDevice/probeScript.ts';
import type { ArtifactSpec } from '../spec.ts';
import { writeEmbedded } from './embedded.ts';
import type { Payload } from './files.ts';

/** The name of a probe is this and a number. */
export const PROBE_NAME = 'mender-docker-delta-probe';

/**
 * Writes an artifact that reports what a device has into the deployment log, and then fails on
 * purpose. It is for update module `single-file`: its rollback does nothing if nothing was
 * installed, so that the device stays as it is. Each has a name of its own, as clients do not
 * install a name twice.
 */
export async function writeProbeArtifact(
  path: string,
  { deviceTypes, suffix }: { deviceTypes: readonly string[]; suffix: string },
): Promise<{ path: string; artifactName: string; size: number }> {
  const artifactName = `${PROBE_NAME}-${suffix}`;
  let size = 0;
  const spec: ArtifactSpec = {
    artifactName,
    softwareName: PROBE_NAME,
    softwareVersion: suffix,
    softwareFilesystem: 'data-docker',
    deviceTypes: [...deviceTypes],
    platform: { os: 'linux', architecture: 'amd64' },
    // Only says how the keys are named, which no device ever gets.
    module: 'app',
    compression: 'gzip',
    writer: 'embedded',
    images: [],
    manifests: [],
    extraArguments: [],
  };
  const input = {
    spec,
    payload: probePayload(),
    packing: { compression: 'gzip', level: 6 } as const,
    key: undefined,
  };
  await writeAtomically(path, async (temporary) => {
    size = await writeEmbedded(input, temporary, { log: silentLog, threads: 1 });
  });
  return { path, artifactName, size };
}

/** The files are what module single-file wants. It never sees them. */
function probePayload(): Payload {
  return {
    type: 'single-file',
    softwareName: PROBE_NAME,
    files: [
      tarFile('dest_dir', '/tmp\n'),
      tarFile('filename', `${PROBE_NAME}\n`),
      tarFile(PROBE_NAME, 'nothing\n'),
      tarFile('permissions', '644\n'),
    ],
    scripts: [{ name: `ArtifactInstall_Enter_00_${PROBE_NAME}`, content: probeScript() }],
    metaData: {},
  };
}
