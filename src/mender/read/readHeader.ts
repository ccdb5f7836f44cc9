import { createHash } from 'node:crypto';
import type { InferOutput } from 'valibot';
import { IntegrityError } from '../../errors.ts';
import type { Chunks } from '../../io/streams.ts';
import type { ArtifactRecord } from '../record.ts';
import { readRecord } from '../record.ts';
import { HEADER_INFO_KEYS, META_DATA_KEYS, TYPE_INFO_KEYS } from './headerKeys.ts';
import { parseAs } from './json.ts';
import type { StreamedEntry, Suffix } from './nested.ts';
import { entriesOf, expectFile, readSmall, unpacked } from './nested.ts';
import type { ArtifactVisitor, ScriptReport } from './report.ts';
import { headerInfoSchema, metaDataSchema, typeInfoSchema } from './schemas.ts';

/** What `header.tar` says. */
export interface ArtifactHeader {
  artifactName: string;
  artifactGroup?: string;
  deviceTypes: string[];
  /** The device must have one of these artifacts installed; empty: any. */
  dependsOnArtifactNames: string[];
  dependsOnGroups: string[];
  /** All that header-info asks of a device, the three lists above among it. */
  depends: Record<string, string | string[]>;
  scripts: ScriptReport[];
  payloads: PayloadHeader[];
}

/** What the header says of one payload. */
interface PayloadHeader {
  /** Name of the update module; undefined for a payload without one. */
  module?: string;
  /** The same in type-info. */
  typeInfoType?: string;
  depends: Record<string, string | string[]>;
  provides: Record<string, string>;
  clears: string[];
  metaData?: Record<string, unknown>;
  /** What the meta-data says about the images. */
  record?: ArtifactRecord;
}

const LARGEST_HEADER = 64 << 20;
const LARGEST_FILE = 1 << 20;
const LARGEST_SCRIPT = 1 << 24;
const SCRIPT = /^scripts\/([^/]+)$/;
const PAYLOAD_FILE = /^headers\/\d{4}\/(type-info|meta-data)$/;

/**
 * Reads `header.tar`. Throws IntegrityError for everything that mender-artifact refuses, and for
 * names that occur twice: one reader would take the first entry, another the last.
 */
export async function readHeader(
  body: Chunks,
  suffix: Suffix,
  where: string,
  visitor: Pick<ArtifactVisitor, 'script'> = {},
): Promise<ArtifactHeader> {
  const files = new Map<string, Buffer>();
  const scripts: ScriptReport[] = [];
  const seen = new Set<string>();
  for await (const entry of entriesOf(unpacked(body, suffix, where, LARGEST_HEADER), where)) {
    // Some tools write the folders as well.
    if (entry.kind === 'folder' && files.size > 0) continue;
    expectPlace(entry, files.size, where);
    if (seen.has(entry.path)) throw new IntegrityError(`${where}: ${entry.path} is in it twice`);
    seen.add(entry.path);
    const [, script] = SCRIPT.exec(entry.path) ?? [];
    const content = await readSmall(
      entry.body,
      script === undefined ? LARGEST_FILE : LARGEST_SCRIPT,
      `${where}: ${entry.path}`,
    );
    if (script === undefined) files.set(entry.path, content);
    else scripts.push(await readScript(script, content, visitor));
  }
  // mender-artifact writes them in any order.
  scripts.sort((one, other) => (one.path < other.path ? -1 : 1));
  return { ...headerOf(files, where), scripts };
}

async function readScript(
  path: string,
  content: Buffer,
  visitor: Pick<ArtifactVisitor, 'script'>,
): Promise<ScriptReport> {
  const script = { path, size: content.length, sha256: createHash('sha256').update(content).digest('hex') };
  await visitor.script?.(script, content);
  return script;
}

/**
 * Throws IntegrityError unless the entry keeps the format's order: header-info, scripts, files of
 * the payloads.
 */
function expectPlace(entry: StreamedEntry, filesSoFar: number, where: string): void {
  expectFile(entry, where);
  const { path } = entry;
  const isExpected = filesSoFar === 0 ? path === 'header-info' : isAfterInfo(path, filesSoFar);
  if (!isExpected) throw new IntegrityError(`${where}: ${path} is unexpected at this place`);
}

function isAfterInfo(path: string, filesSoFar: number): boolean {
  return PAYLOAD_FILE.test(path) || path === 'header-info' || (filesSoFar === 1 && SCRIPT.test(path));
}

function headerOf(files: ReadonlyMap<string, Buffer>, where: string): Omit<ArtifactHeader, 'scripts'> {
  const info = parseAs(
    headerInfoSchema,
    HEADER_INFO_KEYS,
    fileOf(files, 'header-info', where),
    `${where}: header-info`,
  );
  const { artifact_name: artifactName, artifact_group: artifactGroup } = info.artifact_provides;
  const depends = info.artifact_depends ?? { device_type: [] };
  expectNoMore(files, info.payloads.length, where);
  return {
    artifactName,
    ...(artifactGroup === undefined ? {} : { artifactGroup }),
    deviceTypes: depends.device_type,
    dependsOnArtifactNames: depends.artifact_name ?? [],
    dependsOnGroups: depends.artifact_group ?? [],
    depends: definedOnly(depends),
    payloads: info.payloads.map(({ type }, index) => payloadOf(files, index, type ?? undefined, where)),
  };
}

/** Throws IntegrityError for files of payloads that header-info does not list. */
function expectNoMore(files: ReadonlyMap<string, Buffer>, payloads: number, where: string): void {
  const more = [...files.keys()].find((path) => Number(/^headers\/(\d+)/.exec(path)?.[1] ?? -1) >= payloads);
  if (more === undefined) return;
  throw new IntegrityError(`${where}: ${more} belongs to no payload, header-info lists ${payloads}`);
}

function payloadOf(
  files: ReadonlyMap<string, Buffer>,
  index: number,
  module: string | undefined,
  where: string,
): PayloadHeader {
  const folder = `headers/${String(index).padStart(4, '0')}`;
  const [typePath, metaPath] = [`${folder}/type-info`, `${folder}/meta-data`];
  const info: InferOutput<typeof typeInfoSchema> = parseAs(
    typeInfoSchema,
    TYPE_INFO_KEYS,
    fileOf(files, typePath, where),
    `${where}: ${typePath}`,
  );
  const metaData = files.get(metaPath);
  return {
    ...(module === undefined ? {} : { module }),
    ...(typeof info.type === 'string' ? { typeInfoType: info.type } : {}),
    depends: info.artifact_depends ?? {},
    provides: info.artifact_provides ?? {},
    clears: info.clears_artifact_provides ?? [],
    ...(metaData === undefined || metaData.length === 0
      ? {}
      : described(parseAs(metaDataSchema, META_DATA_KEYS, metaData, `${where}: ${metaPath}`))),
  };
}

function described(metaData: Record<string, unknown>): Pick<PayloadHeader, 'metaData' | 'record'> {
  const record = readRecord(metaData);
  return record === undefined ? { metaData } : { metaData, record };
}

function fileOf(files: ReadonlyMap<string, Buffer>, path: string, where: string): Buffer {
  const content = files.get(path);
  if (content === undefined) throw new IntegrityError(`${where}: it holds no ${path}`);
  return content;
}

function definedOnly(
  depends: Record<string, string | string[] | undefined>,
): Record<string, string | string[]> {
  const entries = Object.entries(depends);
  return Object.fromEntries(entries.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}
