import type { Cache } from '../../cache/cache.ts';
import type { Solution, SolutionKey } from '../../cache/shared/solution.ts';
import { encoderVersion } from '../../delta/engine.ts';
import type { LayerContent } from '../../mender/payload.ts';
import type { Digest } from '../../oci/digest.ts';
import { planDecoder } from '../plan/decoder.ts';
import type { PlannedImage } from '../plan/planBuild.ts';
import type { SettledRequest } from '../request.ts';
import { deltaContent } from './changedLayers.ts';

/** The deltas of an image that others made, so that no layer of them is needed here. */
export interface SharedDeltas {
  /** The image. A changed layer for which others made no delta ships whole. */
  image: PlannedImage;
  /** By diffID. */
  contents: Map<Digest, LayerContent>;
  /** Bytes of the layers of the new image. */
  sizes: Map<Digest, number>;
}

type Choice = Pick<SettledRequest, 'encoder' | 'effort'>;

/** The question that the deltas of an image answer. Undefined for an image without any. Pure. */
function questionOf({ base, image, plan }: PlannedImage, choice: Choice): SolutionKey | undefined {
  const changed = plan.layers.filter(({ kind }) => kind === 'delta').map(({ diffID }) => diffID);
  if (base === undefined || changed.length === 0) return undefined;
  const layers = image.image.layers.map(({ diffID }) => diffID);
  return { base: base.layers, image: layers, changed, encoder: encoderVersion(choice) };
}

/**
 * Returns the deltas that others made of an image, if the key of --cache-key signed them. Undefined
 * if the layers are here, or if anything is missing.
 */
export async function findSharedDeltas(
  image: PlannedImage,
  request: Choice,
  cache: Cache,
): Promise<SharedDeltas | undefined> {
  const { shared } = cache;
  const question = questionOf(image, request);
  if (shared?.mayTrust !== true || question === undefined) return undefined;
  if (await isHeld([...question.base, ...question.changed], cache)) return undefined;
  const solution = await shared.findSolution(question);
  if (solution === undefined) return undefined;
  const contents = new Map<Digest, LayerContent>();
  for (const delta of solution.deltas) {
    const content = await fetchDelta(delta, question.encoder, cache);
    if (content === undefined) return undefined;
    contents.set(delta.to, content);
  }
  const sizes = new Map(solution.sizes.map(({ diffID, size }) => [diffID, size]));
  return { image: wholeIfMissing(image, contents), contents, sizes };
}

/**
 * True if the build reads layers that it does not ship: patches, the SBOM and the page of a report
 * are made from them. Pure.
 */
export function readsLayers(request: SettledRequest): boolean {
  const { kind } = planDecoder(request);
  return kind !== 'xdelta3' || request.sbom !== undefined || request.reportHtml !== undefined;
}

async function isHeld(diffIDs: readonly Digest[], { layers }: Cache): Promise<boolean> {
  for (const diffID of diffIDs) if ((await layers.findAny(diffID)) === undefined) return false;
  return true;
}

async function fetchDelta(
  { to, from, fromSize, digest, size }: Solution['deltas'][number],
  encoder: string,
  { deltas, shared, use }: Cache,
): Promise<LayerContent | undefined> {
  const key = { from, to, encoder };
  const fetched = new Set<string>();
  const fetch = async (path: string): Promise<boolean> => {
    if ((await shared?.fetchDelta(key, path, size)) === true) fetched.add(path);
    return fetched.has(path);
  };
  const found = await deltas.getOrFetch(key, digest, fetch);
  if (found?.path === undefined) return undefined;
  use.count('deltas', true);
  if (fetched.size > 0) use.countTaken();
  return deltaContent({ path: found.path, size: found.size }, from, fromSize);
}

function wholeIfMissing(image: PlannedImage, contents: ReadonlyMap<Digest, LayerContent>): PlannedImage {
  const layers = image.plan.layers.map((layer) =>
    layer.kind === 'delta' && !contents.has(layer.diffID) ? { ...layer, kind: 'full' as const } : layer,
  );
  return { ...image, plan: { ...image.plan, layers } };
}

/**
 * Stores the deltas of an image for others, and the signed solution that makes its layers needless.
 */
export async function shareDeltas(
  image: PlannedImage,
  contents: ReadonlyMap<Digest, LayerContent>,
  sizes: ReadonlyMap<Digest, number>,
  choice: Choice,
  { shared, deltas, use }: Pick<Cache, 'shared' | 'deltas' | 'use'>,
): Promise<void> {
  const question = questionOf(image, choice);
  if (shared?.isFilled !== true || question === undefined) return;
  const solution: Solution = {
    version: 1,
    ...mutable(question),
    deltas: [],
    sizes: sizesIn(question, sizes),
  };
  for (const to of question.changed) {
    const content = contents.get(to);
    if (content?.kind !== 'delta' || typeof content.body !== 'string') continue;
    const { from, fromSize, size, body } = content;
    const digest = await deltas.recordedDigest(body);
    if (digest === undefined) return;
    if (await shared.storeDelta({ from, to, encoder: question.encoder }, body)) use.countStored();
    solution.deltas.push({ to, from, fromSize, digest, size });
  }
  if (solution.sizes.length === new Set(question.image).size) await shared.storeSolution(solution);
}

function mutable({ base, image, changed, encoder }: SolutionKey): Pick<Solution, keyof SolutionKey> {
  return { base: [...base], image: [...image], changed: [...changed], encoder };
}

function sizesIn({ image }: SolutionKey, sizes: ReadonlyMap<Digest, number>): Solution['sizes'] {
  return [...new Set(image)].flatMap((diffID) => {
    const size = sizes.get(diffID);
    return size === undefined ? [] : [{ diffID, size }];
  });
}
