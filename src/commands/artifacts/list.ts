import { UsageError } from '../../errors.ts';
import type { Api } from '../../server/api.ts';
import type { Artifact } from '../../server/artifacts.ts';
import { listArtifacts } from '../../server/artifacts.ts';
import { resolveArtifact } from '../../server/resolve.ts';
import type { ArtifactsFlags } from '../options/artifacts.ts';
import { shellWord } from '../terminal/shellWord.ts';
import type { Context } from '../terminal/command.ts';
import { formatBytes } from '../../io/amounts.ts';
import { formatList, onOneLine } from '../terminal/format.ts';
import { artifactsThatFit } from './delete.ts';

/** Prints the artifacts that fit. */
export async function runList(api: Api, flags: ArtifactsFlags, context: Context): Promise<void> {
  const { name: names = [], description, deviceType, sort = 'name', dir, query } = flags;
  if (names.length > 1 && names.some((name) => name.endsWith('*'))) {
    throw new UsageError('--name: a name that ends with * can not be combined with others');
  }
  refuseUnread(flags);
  const compare = ordering(sort, dir);
  const listed =
    query === undefined
      ? await listArtifacts(api, { names, description, deviceType })
      : await artifactsThatFit(api, query);
  const found = listed.sort(compare);
  context.report(found, artifactsText(found));
}

/** A filter that is not read would list too much. */
function refuseUnread({ artifact = [], query, name, description, deviceType }: ArtifactsFlags): void {
  const [word] = artifact;
  if (word !== undefined)
    throw new UsageError(`artifacts list: unexpected word ${JSON.stringify(word)}`, {
      hint: `for artifacts of this name: --name ${shellWord(word)}`,
    });
  if (query === undefined || [name, description, deviceType].every((one) => one === undefined)) return;
  throw new UsageError('artifacts list: --query does not go with --name, --description or --device-type', {
    hint: 'write all in the query, as in --query name=shop-*,device-type=raspberrypi4',
  });
}

const ORDERS: Record<string, (a: Artifact, b: Artifact) => number> = {
  name: (a, b) => compareText(a.name, b.name) || compareText(a.id, b.id),
  modified: (a, b) => compareText(a.modified, b.modified),
  size: (a, b) => (a.size ?? 0) - (b.size ?? 0),
};

/** How `--sort` orders artifacts; throws UsageError for what it does not know. */
function ordering(sort: string, dir?: 'asc' | 'desc'): (a: Artifact, b: Artifact) => number {
  const [field = '', direction = dir ?? 'asc'] = sort.split(':');
  const order = ORDERS[field];
  if (order === undefined || !['asc', 'desc'].includes(direction)) {
    throw new UsageError(`--sort ${sort}: expected ${Object.keys(ORDERS).join(', ')}, with :asc or :desc`);
  }
  return direction === 'asc' ? order : (a, b) => order(b, a);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function artifactsText(artifacts: readonly Artifact[]): string {
  const rows = artifacts.map((one) => [
    one.id,
    one.name,
    one.device_types_compatible.join(','),
    sizeText(one.size),
    one.modified.slice(0, 19),
    (one.description ?? '').split('\n')[0] ?? '',
  ]);
  const headings = ['ID', 'NAME', 'DEVICE TYPES', 'SIZE', 'MODIFIED', 'DESCRIPTION'];
  return formatList('no artifacts', headings, rows, [3]);
}

function sizeText(size: number | undefined): string {
  return size === undefined ? '' : formatBytes(size);
}

/** All that is known of one artifact, a line each. */
export function artifactText(artifact: Artifact): string {
  const types = (artifact.updates ?? []).map((update) => update.type_info?.type ?? '?');
  const lines = [
    ['id', artifact.id],
    ['name', artifact.name],
    ['description', artifact.description ?? ''],
    ['device types', artifact.device_types_compatible.join(', ')],
    ['size', artifact.size === undefined ? '' : `${formatBytes(artifact.size)} (${artifact.size} bytes)`],
    ['modified', artifact.modified],
    ['signed', artifact.signed === true ? 'yes' : 'no'],
    ['update types', types.join(', ')],
    ...pairs('depends', artifact.artifact_depends ?? {}),
    ...pairs('provides', artifact.artifact_provides ?? {}),
    ['clears', (artifact.clears_artifact_provides ?? []).join(', ')],
    ...payloadFiles(artifact),
  ];
  return lines.map(([key, value]) => onOneLine(`${key ?? ''}: ${value ?? ''}`.trimEnd())).join('\n');
}

function pairs(label: string, values: Record<string, string | string[]>): string[][] {
  return Object.entries(values).map(([key, value]) => [label, `${key} = ${[value].flat().join(' | ')}`]);
}

function payloadFiles({ updates = [] }: Artifact): string[][] {
  const files = updates.flatMap((update) => update.files ?? []);
  return files.map(({ name = '?', size, checksum = '' }) => [
    'file',
    `${name} ${sizeText(size)} ${checksum}`.trimEnd(),
  ]);
}

/**
 * `artifacts detail [ARTIFACT.. | --query ..]`: prints everything about each, or about all
 * artifacts.
 */
export async function runDetail(api: Api, flags: ArtifactsFlags, context: Context): Promise<void> {
  const { artifact: references = [], query, sort = 'name', dir } = flags;
  if (references.length > 0 && query !== undefined) {
    throw new UsageError('artifacts detail: expected ids or names of artifacts, or --query, not both');
  }
  const compare = ordering(sort, dir);
  const listed = (): Promise<Artifact[]> =>
    query === undefined ? listArtifacts(api) : artifactsThatFit(api, query);
  const found: Artifact[] = references.length === 0 ? await listed() : [];
  for (const reference of references) found.push(await resolveArtifact(api, reference));
  found.sort(compare);
  const text = found.map(artifactText).join('\n\n');
  context.report(found, text || 'no artifact matches');
}
