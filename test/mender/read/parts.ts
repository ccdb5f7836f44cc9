import { createHash } from 'node:crypto';
import type { RawEntry } from '../../helpers/tarball.ts';
import { tarOfList } from '../../helpers/tarball.ts';

/** What an artifact is put together from. What is not given is right. */
export interface Parts {
  version?: string;
  /** The entries of `header.tar`. */
  header?: readonly RawEntry[];
  /** The entries of `data/0000.tar`. */
  data?: readonly RawEntry[];
  /** Changes the manifest. */
  manifest?: (text: string) => string;
  /** Changes the entries of the artifact itself. */
  outer?: (entries: readonly RawEntry[]) => readonly RawEntry[];
}

export const VERSION = '{"format":"mender","version":3}';
export const TYPE_INFO = 'headers/0000/type-info';
export const META_DATA = 'headers/0000/meta-data';

export const file = (path: string, content: string | Uint8Array = 'x'): RawEntry => ({ path, content });
export const folder = (path: string): RawEntry => ({ path, type: '5' });
export const link = (path: string): RawEntry => ({ path, type: '2', link: 'version' });
export const hardLink = (path: string): RawEntry => ({ path, type: '1', link: 'version' });
export const device = (path: string): RawEntry => ({ path, type: '4' });
export const pipe = (path: string): RawEntry => ({ path, type: '6' });

/** `header-info` with other fields. */
export function info(more: object = {}): RawEntry {
  const right = {
    payloads: [{ type: 'app' }],
    artifact_provides: { artifact_name: 'shop-1' },
    artifact_depends: { device_type: ['edge-device'] },
  };
  return file('header-info', JSON.stringify({ ...right, ...more }));
}

/** `type-info` with other fields. */
export function typeInfo(more: object = {}): RawEntry {
  return file(TYPE_INFO, JSON.stringify({ type: 'app', ...more }));
}

/** An uncompressed artifact of the parts, whose checksums are right for whatever is in it. */
export function artifactOf(parts: Parts = {}): Buffer {
  const { version = VERSION, header = [info(), typeInfo()], data = [file('f')] } = parts;
  const headerTar = tarOfList(header);
  const lines = [
    ...data
      .filter(({ type = '0' }) => type === '0')
      .map(({ path, content = '' }) => `${sha256(content)}  data/0000/${path}`),
    `${sha256(headerTar)}  header.tar`,
    `${sha256(version)}  version`,
  ];
  const text = `${lines.join('\n')}\n`;
  const entries = [
    file('version', version),
    file('manifest', parts.manifest?.(text) ?? text),
    file('header.tar', headerTar),
    file('data/0000.tar', tarOfList(data)),
  ];
  return tarOfList(parts.outer?.(entries) ?? entries);
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
