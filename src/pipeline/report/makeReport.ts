import type { DeviceEstimate } from '../verify/estimate.ts';
import type { ExaminedFile, ExaminedImage, ExaminedLayer, LayerContents } from './examined.ts';
import { discountTwins } from './discountTwins.ts';
import { byCost, findingsOf } from './findings.ts';
import type { PlacedFile } from './findings.ts';
import { hasOnlyNewTime, judgeFile } from './judgeFile.ts';
import type { Amounts, ArtifactSizes, FileSizes, FileState, ImageSizes, LayerSizes } from './model.ts';
import { addAmounts, noAmounts, treeOf } from './tree.ts';
import type { RestParts } from './weigher.ts';
import { decoderWeight, restWeight } from './weigher.ts';

/** What an artifact says of itself. */
export type ArtifactFacts = Pick<
  ArtifactSizes,
  'artifactName' | 'file' | 'module' | 'compression' | 'platform' | 'deviceTypes' | 'madeFrom'
> & {
  /** Bytes of the artifact; undefined before it is built. */
  size: number | undefined;
  rest: RestParts;
};

/** The files that a report names: those that cost most, and then the largest. */
const MOST_BY_COST = 300;
const MOST_BY_SIZE = 100;

/**
 * Returns where the bytes of an artifact are. The artifact is compressed as a whole: each part gets
 * the share of its size that an estimate of its compressed bytes has in the sum. Pure.
 */
export function makeReport(
  facts: ArtifactFacts,
  examined: readonly ExaminedImage[],
  estimate: DeviceEstimate | undefined,
): ArtifactSizes {
  const images = discountTwins(examined, facts.compression);
  const { rest, size: known, ...named } = facts;
  const [ofRest, ofDecoder] = [restWeight(rest), decoderWeight(rest)];
  const weight = ofRest + ofDecoder + sum(images.flatMap(({ layers }) => layers.map(weightOf)));
  const size = known ?? Math.round(weight);
  const scale = weight === 0 ? 0 : size / weight;
  const placed = placeFiles(images, scale);
  const sorted = [...placed].sort(byCost);
  const shown = new Set(chooseShown(sorted).map(({ file }) => file));
  return {
    ...named,
    size,
    images: images.map((image) => imageSizes(image, scale, shown)),
    rest: ofRest * scale,
    decoder: rest.decoder === 0 ? null : { size: rest.decoder, cost: ofDecoder * scale },
    files: sorted
      .slice(0, MOST_BY_COST)
      .filter(({ cost }) => cost > 0)
      .map((one) => fileSizes(one, images)),
    findings: findingsOf(placed, size),
    estimate: estimate ?? null,
    unknown: unknownParts(images),
  };
}

function weightOf({ contents }: ExaminedLayer): number {
  return contents?.weight ?? 0;
}

function placeFiles(images: readonly ExaminedImage[], scale: number): PlacedFile[] {
  return images.flatMap(({ layers }, image) =>
    layers.flatMap(({ contents }, layer) =>
      (contents?.files ?? []).map((file) => ({ file, image, layer, cost: file.weight * scale })),
    ),
  );
}

/** `sorted`: those that cost most first. */
function chooseShown(sorted: readonly PlacedFile[]): PlacedFile[] {
  const plain = sorted.filter(({ file }) => file.kind === 'file');
  const byBytes = [...plain].sort((one, other) => other.file.size - one.file.size);
  return [...plain.slice(0, MOST_BY_COST), ...byBytes.slice(0, MOST_BY_SIZE)];
}

function imageSizes(
  { name, services, base, layers }: ExaminedImage,
  scale: number,
  shown: ReadonlySet<ExaminedFile>,
): ImageSizes {
  const amounts = noAmounts();
  const parts = layers.map((layer) => layerSizes(layer, scale, shown));
  for (const part of parts) addAmounts(amounts, part);
  return { name, services: [...services], base: base ?? null, layers: parts, ...amounts };
}

function layerSizes(layer: ExaminedLayer, scale: number, shown: ReadonlySet<ExaminedFile>): LayerSizes {
  const { diffID, kind, size, oldSize, command, contents } = layer;
  const { files } = contents ?? {};
  const tree = files?.map((file) => ({ file, amounts: amountsOf(file, scale), isShown: shown.has(file) }));
  return {
    ...{ diffID, kind },
    isSizeKnown: size !== undefined,
    oldSize: oldSize ?? null,
    command: command ?? null,
    tree: tree === undefined ? null : treeOf(diffID.slice(7, 19), tree),
    ...layerAmounts(contents, size ?? 0, scale),
  };
}

function layerAmounts(contents: LayerContents | undefined, size: number, scale: number): Amounts {
  if (contents === undefined) return { ...noAmounts(), size, kept: size };
  const { kept, moved, added, weight } = contents;
  return { size, kept, moved, sent: added, cost: weight * scale };
}

function amountsOf({ size, kept, moved, added, headerAdded, weight }: ExaminedFile, scale: number): Amounts {
  return { size, kept, moved, sent: added + headerAdded, cost: weight * scale };
}

function fileSizes({ file, image, layer, cost }: PlacedFile, images: readonly ExaminedImage[]): FileSizes {
  const { name, services, layers } = images[image] ?? { name: '', services: [], layers: [] };
  const { path, size, kept, moved, added, headerAdded, base } = file;
  const state = judgeFile(file);
  return {
    service: services.join(', ') || name,
    diffID: layers[layer]?.diffID ?? '',
    ...{ path, state, size, kept, moved, cost },
    sent: added + headerAdded,
    oldSize: base?.size ?? null,
    from: base === undefined || base.path === path ? null : base.path,
    why: whyOf(file, state),
  };
}

function whyOf(file: ExaminedFile, state: FileState): string | null {
  if (hasOnlyNewTime(file)) return 'only its time is new';
  if (state === 'kept') return file.headerAdded > 0 ? 'only its header is new' : null;
  if (state === 'moved') return 'at a new path';
  if (state === 'packed')
    return file.content === 'media' ? 'a compressed medium' : 'its content is compressed';
  if (file.content === 'program' && file.base !== undefined) return 'a program that was built anew';
  if (file.content === 'program' && file.hasDebug) return 'a program with debug information';
  return null;
}

/** What a report can't tell, one sentence each. */
function unknownParts(images: readonly ExaminedImage[]): string[] {
  const layers = images.flatMap((image) => image.layers);
  const patches = layers.filter(({ kind }) => kind === 'patch');
  const closed = layers.filter(
    ({ kind, contents }) => kind !== 'patch' && contents !== undefined && contents.files === undefined,
  );
  const sizeless = layers.filter(({ size }) => size === undefined);
  const whole = images.filter((image) => image.layers.length === 0);
  return [
    ...whole.map(({ name }) => `The layers of ${name}: the artifact has a delta of the whole image.`),
    ...(closed.length === 0
      ? []
      : [
          `${closed.length} of ${layers.length} layers are deltas whose base layer is not here: their files can't be named. Name the base with --base.`,
        ]),
    ...(patches.length === 0
      ? []
      : [
          `${patches.length} of ${layers.length} layers are patches, which do not tell what each file costs. Look at the same release with --decoder xdelta3.`,
        ]),
    ...(sizeless.length === 0
      ? []
      : [`The size of ${sizeless.length} unchanged layers is unknown; it counts as 0.`]),
  ];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
