import { softwareOf } from '../../destinations/nvr.ts';
import { UsageError, UserError } from '../../errors.ts';
import type { ArtifactFile } from '../../mender/read/readFile.ts';
import { readArtifactFile } from '../../mender/read/readFile.ts';
import { readPlatform } from '../../mender/read/readPlatform.ts';
import { parsePlatform } from '../../oci/platform.ts';

/** An artifact on its way: one file, or several that share a name and differ in what they depend on. */
export interface DestinedArtifact {
  name: string;
  application: string;
  version: string;
  /** As in a platform; undefined where the artifact does not say. */
  architecture?: string | undefined;
  files: { path: string; facts: ArtifactFile }[];
}

/** What artifact files are, those of one name together. Throws UsageError for a file that is no artifact of an application. */
export async function destinedArtifacts(
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<DestinedArtifact[]> {
  const artifacts = new Map<string, DestinedArtifact>();
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
): Promise<DestinedArtifact> {
  const [software] = softwareOf(facts.provides);
  if (software === undefined) {
    throw new UsageError(
      `${path}: it provides no version of an application, so no map can know where it goes`,
      {
        hint: 'deploy it without a map: upload FILE, then deploy NAME -g GROUP',
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
