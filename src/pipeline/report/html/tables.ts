import { formatBytes } from '../../../io/amounts.ts';
import { DECODER_PART, REST_PART } from '../advice.ts';
import type {
  ArtifactSizes,
  FileSizes,
  FileState,
  ImageSizes,
  LayerSizes,
  PastRelease,
  SizeNode,
} from '../model.ts';
import type { Html } from './markup.ts';
import { markup, nothing } from './markup.ts';
import { imageTitle } from './tiles.ts';

/** A column of a table. */
interface Column {
  title: string;
  isNumber?: boolean;
  isPath?: boolean;
}

interface Row {
  id?: string | undefined;
  cells: readonly (Html | string)[];
}

/**
 * A table that scrolls sideways where it has no room, with the keyboard as well. The first cell
 * heads its row.
 */
function table(caption: string, columns: readonly Column[], rows: readonly Row[]): Html {
  const heads = columns.map(
    ({ title, isNumber }) =>
      markup`<th scope="col"${isNumber ? markup` class="number"` : nothing}>${title}</th>`,
  );
  const lines = rows.map(
    ({
      id,
      cells,
    }) => markup`<tr${id === undefined ? nothing : markup` id="${id}"`}>${cells.map((cell, index) => cellOf(cell, index, columns[index]))}</tr>
`,
  );
  return markup`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table><caption>${caption}</caption>
<thead><tr>${heads}</tr></thead>
<tbody>
${lines}</tbody></table></div>
`;
}

function cellOf(cell: Html | string, index: number, column: Column | undefined): Html {
  const name = column?.isNumber ? markup` class="number"` : column?.isPath ? markup` class="path"` : nothing;
  return index === 0 ? markup`<th scope="row"${name}>${cell}</th>` : markup`<td${name}>${cell}</td>`;
}

const KINDS: Readonly<Record<LayerSizes['kind'], string>> = {
  omit: 'unchanged',
  identity: 'unchanged, moved',
  delta: 'delta',
  patch: 'patch',
  full: 'full',
};

const numbers = (titles: readonly string[]): Column[] => titles.map((title) => ({ title, isNumber: true }));

/** Each layer of each image. */
export function layerTable({ images }: ArtifactSizes): Html {
  const columns = [
    { title: 'Layer' },
    { title: 'Service' },
    { title: 'Made by', isPath: true },
    { title: 'Ships as' },
    ...numbers(['Old size', 'Size', 'Kept', 'Moved', 'New', 'In the artifact']),
  ];
  return table(
    'Layers, lowest first',
    columns,
    images.flatMap((image) => image.layers.map((layer) => layerRow(image, layer))),
  );
}

function layerRow(image: ImageSizes, layer: LayerSizes): Row {
  const { diffID, kind, oldSize, isSizeKnown, command } = layer;
  return {
    cells: [
      diffID.slice(7, 19),
      imageTitle(image),
      command ?? '',
      KINDS[kind],
      oldSize === null ? '' : formatBytes(oldSize),
      isSizeKnown ? formatBytes(layer.size) : 'unknown',
      ...[layer.kept, layer.moved, layer.sent, Math.round(layer.cost)].map(formatBytes),
    ],
  };
}

/**
 * The files that cost most: the first ones open, the others folded. `rowId`: of a file by its
 * place.
 */
export function fileTables(
  files: readonly FileSizes[],
  rowId: (place: number) => string,
  open: number,
): Html {
  const rows = files.map((file, place) => ({ id: rowId(place), cells: fileCells(file) }));
  const first = fileTable('Files that cost most', rows.slice(0, open));
  const more = rows.slice(open);
  if (more.length === 0) return first;
  return markup`${first}<details><summary>The next ${more.length} files</summary>${fileTable('More files', more)}</details>
`;
}

function fileTable(caption: string, rows: readonly Row[]): Html {
  const columns = [
    { title: 'File', isPath: true },
    { title: 'State' },
    ...numbers(['Old size', 'Size', 'New', 'In the artifact']),
    { title: 'Why' },
    { title: 'Service' },
  ];
  return table(caption, columns, rows);
}

function fileCells({
  path,
  from,
  state,
  oldSize,
  size,
  sent,
  cost,
  why,
  service,
}: FileSizes): (Html | string)[] {
  return [
    from === null ? path : markup`${path} <span class="soft">from ${from}</span>`,
    stateMark(state),
    oldSize === null ? '' : formatBytes(oldSize),
    formatBytes(size),
    formatBytes(sent),
    formatBytes(Math.round(cost)),
    why ?? '',
    service,
  ];
}

/** The word for a state, in its colour. */
export function stateMark(state: FileState): Html {
  return markup`<span class="state ${state}">${state}</span>`;
}

/** The treemap for those who can't see it: everything as a list that opens and closes. */
export function sizeList(artifact: ArtifactSizes): Html {
  const images = artifact.images.map(
    (
      image,
    ) => markup`<li><details open><summary>${imageTitle(image)} ${amounts(image.cost, image.size)}</summary><ul>
${image.layers.map(layerItem)}</ul></details></li>
`,
  );
  const { decoder, rest } = artifact;
  const own =
    decoder === null
      ? nothing
      : markup`<li>${DECODER_PART} ${amounts(decoder.cost, decoder.size)}</li>
`;
  return markup`<div class="tree"><ul>
${images}${own}<li>${REST_PART} <b>${formatBytes(Math.round(rest))}</b></li>
</ul></div>
`;
}

function layerItem({ diffID, command, kind, cost, size, tree }: LayerSizes): Html {
  const title = markup`${diffID.slice(7, 19)} <span class="soft">${command ?? ''}</span> ${KINDS[kind]} ${amounts(cost, size)}`;
  if (tree === null || tree.nodes.length === 0)
    return markup`<li>${title}</li>
`;
  return markup`<li><details><summary>${title}</summary><ul>
${tree.nodes.map(nodeItem)}</ul></details></li>
`;
}

function nodeItem(node: SizeNode): Html {
  const { name, state, nodes, cost, size } = node;
  const title = markup`${name}${nodes.length > 0 ? '/' : ''} ${state === null ? nothing : stateMark(state)} ${amounts(cost, size)}`;
  if (nodes.length === 0)
    return markup`<li>${title}</li>
`;
  return markup`<li><details><summary>${title}</summary><ul>
${nodes.map(nodeItem)}</ul></details></li>
`;
}

function amounts(cost: number, size: number): Html {
  return markup`<b>${formatBytes(Math.round(cost))}</b> <span class="soft">of ${formatBytes(size)}</span>`;
}

/** What an installation needs. */
export function deviceTable({ estimate }: ArtifactSizes): Html {
  if (estimate === null)
    return markup`<p class="soft">Unknown: the base of this artifact is not here. Name it with --base.</p>
`;
  const stores = (['classic', 'containerd'] as const).map((store) => {
    const { peakBytes, storeBytes, writtenBytes } = estimate[store];
    return { cells: [store, ...[peakBytes, storeBytes, writtenBytes].map(formatBytes)] };
  });
  const columns = [
    { title: 'Image store of Docker' },
    ...numbers(['Free disk needed', 'Of it for the images', 'Written to disk']),
  ];
  const { memoryBytes, readBytes } = estimate;
  const decoding = markup`<p>Decoding takes ${formatBytes(memoryBytes)} of memory and reads ${formatBytes(readBytes)}.</p>`;
  return markup`${table('What a device needs, estimated', columns, stores)}${readBytes === 0 ? nothing : decoding}
`;
}

/** All artifacts that the page was given. */
export function historyTable(history: readonly PastRelease[]): Html {
  const columns = [
    { title: 'Artifact' },
    { title: 'Base' },
    ...numbers(['Size', 'Installed', 'Layers', 'Of them unchanged']),
  ];
  return table('Artifacts', columns, history.map(historyRow));
}

function historyRow({ artifactName, madeFrom, size, installed, layers, unchanged }: PastRelease): Row {
  return {
    cells: [
      artifactName,
      madeFrom ?? 'none',
      formatBytes(size),
      formatBytes(installed),
      String(layers),
      String(unchanged),
    ],
  };
}
