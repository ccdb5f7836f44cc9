import { softwareOf } from '../../destinations/nvr.ts';
import { UsageError, UserError } from '../../errors.ts';
import type { ArtifactFile } from '../../mender/read/readFile.ts';
import { readArtifactFile } from '../../mender/read/readFile.ts';
import { readPlatform } from '../../mender/read/readPlatform.ts';
import { parsePlatform } from '../../oci/platform.ts';

/**
 * The files of one artifact name, which differ in what they depend on. Most often it is one file.
 */
export interface ArtifactSet {
  name: string;
  application: string;
  version: string;
  /** As in a platform; undefined if the artifact does not say. */
  architecture?: string | undefined;
  files: { path: string; facts: ArtifactFile }[];
}

/**
 * Reads artifact files and groups them by name. Throws UsageError for a file that is not the
 * artifact of an application.
 */
export async function readArtifactSets(
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<ArtifactSet[]> {
  const artifacts = new Map<string, ArtifactSet>();
  for (const path of paths) {
    const facts = await readArtifactFile(path);
    const known = artifacts.get(facts.name);
    if (known === undefined) artifacts.set(facts.name, await artifactOf(path, facts, signal));
    else known.files.push({ path, facts });
  }
  return [...artifacts.values()];
}

async function artifactOf(
  path: string,
  facts: ArtifactFile,
  signal: AbortSignal | undefined,
): Promise<ArtifactSet> {
  const [software] = softwareOf(facts.provides);
  if (software === undefined) {
    throw new UsageError(
      `${path}: it provides no version of an application, so no map can say where it goes`,
      {
        hint: 'deploy it without a map: mender-docker-delta upload FILE, then mender-docker-delta deploy NAME -g GROUP',
      },
    );
  }
  const architecture = await architectureOf(path, facts, signal);
  return { name: facts.name, ...software, architecture, files: [{ path, facts }] };
}

/** What the artifact says; artifacts of other tools may not. */
async function architectureOf(
  path: string,
  facts: ArtifactFile,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    const platform = await readPlatform(path, facts, signal);
    return platform === undefined ? undefined : parsePlatform(platform).architecture;
  } catch (error) {
    if (error instanceof UserError && signal?.aborted !== true) return undefined;
    throw error;
  }
}
