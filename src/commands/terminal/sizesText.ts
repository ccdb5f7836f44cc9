import { amountOf, formatBytes } from '../../io/amounts.ts';
import { ADVICE, DECODER_PART, REST_PART } from '../../pipeline/report/advice.ts';
import type { ArtifactSizes, Finding, LayerSizes, PastRelease } from '../../pipeline/report/model.ts';
import { formatTable } from './format.ts';

const MOST_FILES = 10;
const MOST_PATHS = 3;

/** The top of a report for people: the layers, the files that cost most, and what would help. */
export function sizesText(artifact: ArtifactSizes): string {
  const { artifactName, size, madeFrom, files, findings, unknown } = artifact;
  const from = madeFrom === null ? 'full: it needs no base' : `made from version ${madeFrom}`;
  return [
    `${artifactName}, ${formatBytes(size)}, ${from}`,
    '',
    formatTable(
      ['service', 'layer', 'kind', 'size', 'new', 'in the artifact', 'made by'],
      [...layerRows(artifact), ...restRows(artifact)],
      [3, 4, 5],
    ),
    ...(files.length === 0 ? [] : ['', fileTable(artifact)]),
    ...findings.flatMap((finding) => ['', findingText(finding)]),
    ...unknown.map((sentence) => `\nunknown: ${sentence}`),
  ].join('\n');
}

function layerRows({ images }: ArtifactSizes): string[][] {
  return images.flatMap(({ services, name, layers }) =>
    layers.map((layer, position) => [
      position === 0 ? services.join(', ') || name : '',
      layer.diffID.slice(7, 19),
      KINDS[layer.kind],
      layer.isSizeKnown ? formatBytes(layer.size) : 'unknown',
      formatBytes(layer.sent),
      formatBytes(Math.round(layer.cost)),
      shortened(layer.command ?? ''),
    ]),
  );
}

function restRows({ rest, decoder }: ArtifactSizes): string[][] {
  const restRow = [REST_PART, '', '', '', '', formatBytes(Math.round(rest))];
  if (decoder === null) return [restRow];
  const [size, cost] = [decoder.size, Math.round(decoder.cost)].map(formatBytes);
  return [[DECODER_PART, '', '', size ?? '', size ?? '', cost ?? ''], restRow];
}

const KINDS: Readonly<Record<LayerSizes['kind'], string>> = {
  omit: 'unchanged',
  identity: 'unchanged, moved',
  delta: 'delta',
  patch: 'patch',
  full: 'full',
};

function shortened(text: string): string {
  const characters = Array.from(text);
  return characters.length <= 40 ? text : `${characters.slice(0, 39).join('')}…`;
}

function fileTable({ files }: ArtifactSizes): string {
  const rows = files
    .slice(0, MOST_FILES)
    .map(({ path, state, size, sent, cost, why }) => [
      path,
      state,
      formatBytes(size),
      formatBytes(sent),
      formatBytes(Math.round(cost)),
      why ?? '',
    ]);
  return formatTable(['file', 'state', 'size', 'new', 'in the artifact', 'why'], rows, [2, 3, 4]);
}

function findingText({ kind, cost, count, paths }: Finding): string {
  const { title, help } = ADVICE[kind];
  const named = paths.slice(0, MOST_PATHS).join(', ');
  const more = count > MOST_PATHS ? `, and ${count - MOST_PATHS} more` : '';
  return `${title}: ${formatBytes(Math.round(cost))} in ${amountOf(count, 'file')}\n  ${named}${more}\n  ${help}`;
}

/** The artifacts of a history, one row each. */
export function historyText(history: readonly PastRelease[]): string {
  const rows = history.map(({ artifactName, madeFrom, size, installed, layers, unchanged }) => [
    artifactName,
    madeFrom ?? 'none',
    formatBytes(size),
    formatBytes(installed),
    `${unchanged} of ${layers}`,
  ]);
  return formatTable(['artifact', 'base', 'size', 'installed', 'unchanged layers'], rows, [2, 3]);
}
