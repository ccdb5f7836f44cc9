import { rm } from 'node:fs/promises';
import type { DeltaStore } from '../../cache/deltas.ts';
import type { Effects } from '../../io/effects.ts';
import { withFile } from '../../io/progress.ts';
import { IntegrityError } from '../../errors.ts';
import type { PayloadImage } from '../../mender/payload.ts';
import { readArtifact } from '../../mender/read/read.ts';
import type { ArtifactSummary } from '../../mender/spec.ts';
import type { Digest } from '../../oci/digest.ts';
import { digestOf } from '../../oci/digest.ts';
import { formatReference } from '../../oci/reference.ts';
import type { BaseImage } from '../base/baseImages.ts';
import type { PlannedImage } from '../plan/planBuild.ts';
import { imageProblems } from './verify.ts';
import type { ArtifactContent, ImageContent } from './content.ts';
import { readContent } from './content.ts';
import type { BaseLayers, DeltaProblem } from './layers.ts';
import { dependsProblems, needsBase } from './layers.ts';
import { manifestProblems } from './manifest.ts';

/**
 * Reads a finished artifact once and compares it with what was meant: checksums, names, whole
 * layers with their diffIDs, omitted ones with the base image, and deltas with those that were
 * proved when they were made.
 *
 * If layers were copied in the form that their registry compressed them, nothing is uncompressed:
 * they were compared when they came into the cache, and those of an earlier run again when they
 * were copied. The embedded writer has then read back its file. For mender-artifact's file, all
 * checksums are compared. Throws IntegrityError and deletes the artifact if anything differs.
 */
export async function verifyBuilt(
  { path, keepsGzip, writer }: Pick<ArtifactSummary, 'path' | 'keepsGzip' | 'writer'>,
  meant: readonly PayloadImage[],
  planned: readonly PlannedImage[],
  deltas: DeltaStore,
  { progress, signal }: Pick<Effects, 'progress' | 'signal'>,
): Promise<void> {
  const read = <T>(work: (onRead: (bytes: number) => void) => Promise<T>): Promise<T> =>
    withFile(progress, 'checking', path, work);
  try {
    if (keepsGzip) {
      if (writer === 'mender-artifact')
        await read((onRead) => readArtifact(path, { sumsOnly: true, onRead, signal }));
      return;
    }
    const content = await read((onRead) => readContent(path, { onRead, signal }));
    const problems = await findProblems(content, meant, planned, deltas);
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

async function findProblems(
  content: ArtifactContent,
  meant: readonly PayloadImage[],
  planned: readonly PlannedImage[],
  deltas: DeltaStore,
): Promise<string[]> {
  const found = new Map(content.images.map((image) => [image.report.image, image]));
  const bases = new Map(planned.map(({ image, base }) => [formatReference(image.name), base]));
  const problems = [
    ...dependsProblems(content.report, content.images.some(needsBase)),
    ...manifestProblems(content),
  ];
  for (const image of meant) {
    const name = formatReference(image.name);
    const there = found.get(name);
    const isSame = there?.report.configDigest === digestOf(image.config);
    if (there === undefined || !isSame) problems.push(`${name}: it is not in the artifact`);
    else {
      const deltaProblem = await compareDeltas(there, image, deltas);
      for (const one of imageProblems(there, labelled(bases.get(name)), deltaProblem)) problems.push(one);
    }
  }
  return problems;
}

function labelled(base: BaseImage | undefined): BaseLayers | undefined {
  return base && { label: formatReference(base.name), layers: base.layers };
}

async function compareDeltas(
  there: ImageContent,
  { layers }: PayloadImage,
  deltas: DeltaStore,
): Promise<DeltaProblem> {
  const digests = new Map<Digest, Digest | undefined>();
  for (const { diffID, content } of layers) {
    if (content.kind !== 'delta') continue;
    const { body } = content;
    digests.set(diffID, typeof body === 'string' ? await deltas.recordedDigest(body) : digestOf(body));
  }
  return (diffID) => {
    const found = there.layers.get(diffID);
    const isMeant = found?.kind === 'delta' && found.digest === digests.get(diffID);
    return isMeant ? undefined : 'its delta is not the one that was made';
  };
}
