import { IntegrityError, UnsupportedError } from '../../errors.ts';
import type { Chunks, Suffix } from './nested.ts';
import { eachFile, small, uncompressed } from './nested.ts';
import type { ArtifactReport, FileReport } from './report.ts';

/** What `header.tar` says: the report without what stands outside of it. */
export type Header = Omit<
  ArtifactReport,
  'size' | 'compression' | 'files' | 'images' | 'manifests' | 'signature'
>;

const LARGEST_FILE = 1 << 20;
const LARGEST_SCRIPT = 1 << 24;

/** Reads `header.tar`. Throws IntegrityError for what is no header, and UnsupportedError for several payloads. */
export async function readHeader(body: Chunks, suffix: Suffix, where: string): Promise<Header> {
  const files = new Map<string, Buffer>();
  const scripts: FileReport[] = [];
  await uncompressed(body, suffix, where, (chunks) =>
    eachFile(chunks, where, async ({ path, size }, file) => {
      if (path.startsWith('scripts/')) {
        await small(file, LARGEST_SCRIPT, `${where}: ${path}`);
        scripts.push({ path: path.slice('scripts/'.length), size });
      } else if (files.size < 4) files.set(path, await small(file, LARGEST_FILE, `${where}: ${path}`));
    }),
  );
  // mender-artifact writes them in any order.
  scripts.sort((one, other) => (one.path < other.path ? -1 : 1));
  return { ...headerInfoOf(files, where), ...typeInfoOf(files, where), scripts };
}

type InfoPart = Pick<
  Header,
  'artifactName' | 'artifactGroup' | 'deviceTypes' | 'dependsOnArtifactNames' | 'dependsOnGroups' | 'module'
>;

function headerInfoOf(files: ReadonlyMap<string, Buffer>, where: string): InfoPart {
  const info = record(jsonOf(files, 'header-info', where));
  const payloads = Array.isArray(info['payloads']) ? info['payloads'].map(record) : [];
  if (payloads.length !== 1) {
    throw new UnsupportedError(`${where}: expected one payload, found ${payloads.length}`);
  }
  const [provides, depends] = [record(info['artifact_provides']), record(info['artifact_depends'])];
  const artifactName = provides['artifact_name'];
  if (typeof artifactName !== 'string') throw new IntegrityError(`${where}: header-info names no artifact`);
  const group = provides['artifact_group'];
  return {
    artifactName,
    ...(typeof group === 'string' ? { artifactGroup: group } : {}),
    deviceTypes: strings(depends['device_type']),
    dependsOnArtifactNames: strings(depends['artifact_name']),
    dependsOnGroups: strings(depends['artifact_group']),
    module: String(payloads[0]?.['type']),
  };
}

type TypePart = Pick<Header, 'depends' | 'provides' | 'clears' | 'metaData'>;

function typeInfoOf(files: ReadonlyMap<string, Buffer>, where: string): TypePart {
  const info = record(jsonOf(files, 'headers/0000/type-info', where));
  const hasMetaData = (files.get('headers/0000/meta-data')?.length ?? 0) > 0;
  return {
    depends: record(info['artifact_depends']),
    provides: record(info['artifact_provides']),
    clears: strings(info['clears_artifact_provides']),
    metaData: hasMetaData ? jsonOf(files, 'headers/0000/meta-data', where) : undefined,
  };
}

function jsonOf(files: ReadonlyMap<string, Buffer>, path: string, where: string): unknown {
  const content = files.get(path);
  if (content === undefined) throw new IntegrityError(`${where}: there is no ${path} in it`);
  return parseJson(content, `${where}: ${path}`);
}

/** The JSON in `content`; throws IntegrityError that names `where` when there is none. */
export function parseJson(content: Buffer, where: string): unknown {
  try {
    return JSON.parse(content.toString('utf8'));
  } catch {
    throw new IntegrityError(`${where} is not JSON`);
  }
}

/** The value as a record; empty when it is none. */
export function record(value: unknown): Record<string, unknown> {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? (value as Record<string, unknown>) : {};
}

/** The strings in the value. */
export function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
