import { rm } from 'node:fs/promises';
import { recordedDigest } from '../../cache/deltas.ts';
import { IntegrityError } from '../../errors.ts';
import type { PayloadImage } from '../../mender/payload.ts';
import { readArtifact } from '../../mender/read/read.ts';
import type { ArtifactSummary } from '../../mender/spec.ts';
import type { Digest } from '../../oci/digest.ts';
import { digestOf } from '../../oci/digest.ts';
import { formatReference } from '../../oci/reference.ts';
import type { PlannedImage } from '../plan/planBuild.ts';
import { problemsOf } from './verify.ts';
import type { ImageContent } from './content.ts';
import { readContent } from './content.ts';
import type { OldImage } from './layers.ts';
import { dependsProblems, needsOldImage } from './layers.ts';
import { manifestProblems } from './manifest.ts';

/**
 * Reads a finished artifact once and compares it with what was meant: checksums, names, whole layers with their diffIDs,
 * omitted ones with the old image, and deltas with those that were proved when they were made. Where layers were copied as
 * their registry compressed them, nothing is uncompressed: their content was compared when they came into the cache, and the
 * bytes that an earlier run had brought with their digest. The embedded writer has read its file back then; of
 * mender-artifact's, all checksums are compared. Throws IntegrityError and removes the artifact when anything differs.
 */
export async function verifyBuilt(
  { path, keepsGzip, writer }: Pick<ArtifactSummary, 'path' | 'keepsGzip' | 'writer'>,
  meant: readonly PayloadImage[],
  planned: readonly PlannedImage[],
  signal: AbortSignal,
): Promise<void> {
  try {
    if (keepsGzip) {
      if (writer === 'mender-artifact') await readArtifact(path, { sumsOnly: true, signal });
      return;
    }
    const problems = await problemsIn(path, meant, planned, signal);
    const [first, ...more] = problems;
    if (first === undefined) return;
    throw new IntegrityError(
      `${path} is not what was to be built: ${first}${more.length > 0 ? ` (and ${more.length} more)` : ''}`,
      { hint: 'check the disk, and build again' },
    );
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

async function problemsIn(
  path: string,
  meant: readonly PayloadImage[],
  planned: readonly PlannedImage[],
  signal: AbortSignal,
): Promise<string[]> {
  const content = await readContent(path, signal);
  const found = new Map(content.images.map((image) => [image.report.name, image]));
  const problems = [
    ...dependsProblems(content.report, content.images.some(needsOldImage)),
    ...manifestProblems(content),
  ];
  for (const image of meant) {
    const name = formatReference(image.name);
    const there = found.get(name);
    const isSame = there?.report.configDigest === digestOf(image.config);
    if (there === undefined || !isSame) problems.push(`${name}: it is not in the artifact`);
    else problems.push(...problemsOf(there, oldImage(image, planned), await deltaProblems(there, image)));
  }
  return problems;
}

function oldImage({ name }: PayloadImage, planned: readonly PlannedImage[]): OldImage | undefined {
  const own = planned.find(({ image }) => formatReference(image.name) === formatReference(name));
  return own?.base && { label: formatReference(own.base.name), layers: own.base.layers };
}

async function deltaProblems(
  there: ImageContent,
  { layers }: PayloadImage,
): Promise<(diffID: Digest) => string | undefined> {
  const digests = new Map<Digest, Digest | undefined>();
  for (const { diffID, content } of layers) {
    if (content.kind !== 'delta') continue;
    const { body } = content;
    digests.set(diffID, typeof body === 'string' ? await recordedDigest(body) : digestOf(body));
  }
  return (diffID) => {
    const found = there.layers.get(diffID);
    const isMeant = found?.kind === 'delta' && found.digest === digests.get(diffID);
    return isMeant ? undefined : 'its delta is not the one that was made';
  };
}
