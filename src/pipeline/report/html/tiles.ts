import { DECODER_PART, REST_PART } from '../advice.ts';
import type { Amounts, ArtifactSizes, ImageSizes, LayerSizes, SizeNode } from '../model.ts';
import type { Tile } from './treemap.ts';

/** The rows of the table of files, by layer and path. */
export type Rows = ReadonlyMap<string, string>;

type Measure = (amounts: Amounts) => number;

/** The key of a file in `Rows`. */
export function rowKey(diffID: string, path: string): string {
  return `${diffID} ${path}`;
}

/** What an artifact costs, as tiles: services, layers, folders, files. Pure. */
export function costTiles({ images, rest, decoder }: ArtifactSizes, rows: Rows): Tile[] {
  const cost: Measure = (amounts) => amounts.cost;
  return [
    ...images.map((image) => imageTile(image, cost, rows)),
    ...(decoder === null ? [] : [{ name: DECODER_PART, value: decoder.cost, state: null, parts: [] }]),
    { name: REST_PART, value: rest, state: null, parts: [] },
  ];
}

/** What is installed on the device, as tiles. Pure. */
export function sizeTiles({ images }: ArtifactSizes, rows: Rows): Tile[] {
  return images.map((image) => imageTile(image, (amounts) => amounts.size, rows));
}

function imageTile(image: ImageSizes, measure: Measure, rows: Rows): Tile {
  const parts = image.layers.map((layer) => layerTile(layer, measure, rows));
  return { name: imageTitle(image), value: measure(image), state: null, parts };
}

/** The services of an image, or its name where they are unknown. */
export function imageTitle({ services, name }: Pick<ImageSizes, 'services' | 'name'>): string {
  return services.length === 0 ? name : services.join(', ');
}

function layerTile(layer: LayerSizes, measure: Measure, rows: Rows): Tile {
  const { diffID, kind, tree, command } = layer;
  const name = command ?? diffID.slice(7, 19);
  const isKept = kind === 'omit' || kind === 'identity';
  const parts = (tree?.nodes ?? []).map((node) => nodeTile(node, { measure, rows, diffID }, ''));
  return { name, value: measure(layer), state: isKept ? 'kept' : null, parts };
}

interface Place {
  measure: Measure;
  rows: Rows;
  diffID: string;
}

function nodeTile(node: SizeNode, place: Place, above: string): Tile {
  const path = above === '' ? node.name : `${above}/${node.name}`;
  const { name, state, nodes } = node;
  const row = state === null ? undefined : place.rows.get(rowKey(place.diffID, path));
  return {
    name,
    value: place.measure(node),
    state,
    row,
    parts: nodes.map((one) => nodeTile(one, place, path)),
  };
}
