import { createHash } from 'node:crypto';
import { amountOf, formatBytes } from '../../../io/amounts.ts';
import { PAGE_START } from '../../../compose/ship/leftOut.ts';
import { ADVICE } from '../advice.ts';
import type { ArtifactSizes, Finding, ReportPage } from '../model.ts';
import type { Html } from './markup.ts';
import { fixed, markup, nothing } from './markup.ts';
import { STYLE } from './style.ts';
import { historyBars } from './historyBars.ts';
import { deviceTable, fileTables, historyTable, layerTable, sizeList, stateMark } from './tables.ts';
import type { Rows } from './tiles.ts';
import { costTiles, rowKey, sizeTiles } from './tiles.ts';
import type { Tile } from './treemap.ts';
import { treemap } from './treemap.ts';

const CANVASES = [
  { name: 'wide', width: 1100, height: 520 },
  { name: 'narrow', width: 380, height: 480 },
];
const OPEN_FILES = 30;

/**
 * The report as one HTML page that needs nothing else: no script, no network. Its policy forbids
 * both, whatever a name in an image tries. Equal input gives an equal page. Pure.
 */
export function renderPage({ artifacts, history }: ReportPage): string {
  const names = artifacts.map(({ artifactName }) => artifactName).join(', ');
  const sections = artifacts.map((artifact, index) => artifactSection(artifact, `a${index + 1}`));
  const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;
  const page = markup`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${names}: where the bytes are</title>
<style>${fixed(STYLE)}</style>
</head>
<body>
<main>
${sections}${
    history.length > 1
      ? markup`<section><h2>History</h2>
${historyBars(history)}${historyTable(history)}</section>
`
      : nothing
  }</main>
<footer><p class="soft">Made by mender-docker-delta report. The artifact is compressed as a whole: what a file takes up in it is an estimate, and so is what a device needs. The other sizes are exact.</p></footer>
</body>
</html>
`;
  return `${PAGE_START}${page.html}`;
}

function artifactSection(artifact: ArtifactSizes, id: string): Html {
  const rowId = (place: number): string => `${id}-f${place + 1}`;
  // Images may share a layer: the tiles of both lead to the first of two equal rows.
  const rows: Rows = new Map(
    artifact.files
      .map(({ diffID, path }, place) => [rowKey(diffID, path), rowId(place)] as const)
      .toReversed(),
  );
  return markup`<article>
<h1>${artifact.artifactName}</h1>
${cards(artifact)}${unknown(artifact.unknown)}<section><h2>Where the bytes are</h2>
${drawing(costTiles(artifact, rows), 'The area of a tile is what it takes up in the artifact.')}<details><summary>The same as a list</summary>
${sizeList(artifact)}</details></section>
<section><h2>What would help</h2>
${findings(artifact)}</section>
<section><h2>Files that cost most</h2>
${fileTables(artifact.files, rowId, OPEN_FILES)}</section>
<section><h2>Layers</h2>
${layerTable(artifact)}</section>
<section><h2>What is installed</h2>
${drawing(sizeTiles(artifact, rows), 'The area of a tile is its size on the device.')}</section>
<section><h2>What it costs a device</h2>
${deviceTable(artifact)}</section>
</article>
`;
}

function cards(artifact: ArtifactSizes): Html {
  const { size, madeFrom, images, module, compression, platform, deviceTypes, file } = artifact;
  const layers = images.flatMap((image) => image.layers);
  const installed = layers.reduce((sum, layer) => sum + layer.size, 0);
  const unchanged = layers.filter(({ kind }) => kind === 'omit' || kind === 'identity').length;
  const all: [string, string, string][] = [
    ['Artifact', formatBytes(size), file ?? 'not built yet'],
    [
      'Base',
      madeFrom ?? 'none',
      madeFrom === null ? 'it holds everything' : 'devices must have this version',
    ],
    ['Images', formatBytes(installed), amountOf(images.length, 'image')],
    ['Layers', String(layers.length), `${unchanged} unchanged`],
    [
      'For',
      deviceTypes.join(', ') || 'any device',
      [platform, module, compression].filter((one) => one !== null).join(', '),
    ],
  ];
  return markup`<dl class="cards">${all.map(([title, value, more]) => markup`<div><dt>${title}</dt><dd>${value}<small>${more}</small></dd></div>`)}</dl>
`;
}

function unknown(sentences: readonly string[]): Html {
  if (sentences.length === 0) return nothing;
  return markup`<section><h2>What is not known</h2>
${sentences.map(
  (sentence) => markup`<p>${sentence}</p>
`,
)}</section>
`;
}

function findings({ findings: all, size, images }: ArtifactSizes): Html {
  const hasFiles = images.some(({ layers }) => layers.some(({ tree }) => tree !== null));
  if (!hasFiles)
    return markup`<p class="soft">No file of a changed layer is known.</p>
`;
  if (all.length === 0)
    return markup`<p>Nothing stands out.</p>
`;
  return markup`<ul class="findings">${all.map((finding) => findingItem(finding, size))}</ul>
`;
}

function findingItem({ kind, cost, count, paths }: Finding, size: number): Html {
  const { title, help } = ADVICE[kind];
  const share = size === 0 ? 0 : Math.round((cost / size) * 100);
  const more = count - paths.length;
  return markup`<li><h3>${title}: ${formatBytes(Math.round(cost))} (${share} %), ${amountOf(count, 'file')}</h3>
<p>${help}</p>
<ul>${paths.map((path) => markup`<li>${path}</li>`)}${more > 0 ? markup`<li>and ${more} more</li>` : nothing}</ul></li>
`;
}

const STATES = [
  ['kept', 'the same as in the base'],
  ['moved', 'at a new path'],
  ['edited', 'in part from the base'],
  ['new', 'all of it is new'],
  ['packed', 'new, and compressed by itself'],
] as const;

function drawing(tiles: readonly Tile[], caption: string): Html {
  const legend = STATES.map(([state, meaning]) => markup`<li>${stateMark(state)} ${meaning}</li>`);
  return markup`<figure>${CANVASES.map((canvas) => treemap(tiles, canvas))}
<figcaption>${caption}<ul class="legend">${legend}<li><span class="state many">other</span> many files, or not known</li></ul></figcaption></figure>
`;
}
