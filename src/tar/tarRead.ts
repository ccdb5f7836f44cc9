import { posix } from 'node:path';
import { Header, Pax } from 'tar';
import type { UserError } from '../errors.ts';
import { IntegrityError, UnsupportedError } from '../errors.ts';
import type { ByteReader } from './byteReader.ts';

/**
 * One entry of a tar archive.
 * https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06
 */
export interface TarHeader {
  /** Without a leading `./` or a trailing slash. */
  path: string;
  /** The path as the archive spells it. */
  name: string;
  /** `special`: a device or a named pipe. */
  kind: 'file' | 'folder' | 'link' | 'special';
  /** Bytes of the body. */
  size: number;
  /** Position of the first byte of the body in the archive. */
  offset: number;
  /** The path that a link points to, inside the archive. */
  target?: string;
}

const BLOCK = 512;
/** Bytes of a long name or of pax records. Anything larger is an attack. */
const LARGEST_META = 1 << 20;
const PARENT = '..';
const FILES = new Set(['File', 'OldFile', 'ContiguousFile']);
const LINKS = new Set(['Link', 'SymbolicLink']);
const FOLDERS = new Set(['Directory', 'GNUDumpDir']);

/** What the meta entries before an entry say about it. */
export interface Pending {
  local?: Pax | undefined;
  global?: Pax | undefined;
  path?: string | undefined;
  linkpath?: string | undefined;
}

/** What a reader refuses although it could read it. Both functions throw for that. */
export interface TarRules {
  /** Looks at a meta entry with its body, and at what those before it say about the same entry. */
  meta(header: Header, body: Buffer, before: Pending): void;
  /** Looks at an entry with its header block, and at what the meta entries before it say. */
  entry(header: Header, block: Buffer, before: Pending): void;
}

/**
 * Walks the entries of a tar archive in order: ustar, pax, GNU long names, sizes beyond 8 GiB. The
 * consumer may read the body of an entry from `bytes` before it requests the next entry. The rest
 * of the body is skipped. `where` names the archive in errors. Throws UnsupportedError if it is not
 * a tar archive, and IntegrityError if it is truncated or has names or links that lead out of it.
 * Throws what `rules` throw, if there are any.
 */
export async function* walkTar(
  bytes: ByteReader,
  where: string,
  rules?: TarRules,
): AsyncGenerator<TarHeader> {
  let pending: Pending = {};
  for (;;) {
    const block = await bytes.read(BLOCK);
    if (block.length === 0) return;
    const header = headerOf(block, pending, where, bytes.position - BLOCK);
    if (header === undefined) return;
    const next = bytes.position + paddedSize(header, where);
    if (isMeta(header)) {
      const body = await readMeta(bytes, header, where);
      rules?.meta(header, body, pending);
      pending = withMeta(header, body, pending);
    } else {
      rules?.entry(header, block, pending);
      yield entryOf(header, pending, bytes.position, where);
      pending = { global: pending.global };
    }
    await skipTo(bytes, next, where);
  }
}

/**
 * True if a tar archive may begin with `start`: with a valid header, or with a part of one. Texts
 * have none of the zero bytes that fill up the name in a header.
 */
export function mayBeginTar(start: Buffer): boolean {
  if (start.length < BLOCK) return start.includes(0);
  const header = parsedHeader(start, {});
  return header !== undefined && (header.nullBlock || header.cksumValid);
}

function headerOf(block: Buffer, pending: Pending, where: string, position: number): Header | undefined {
  if (block.length < BLOCK) throw truncated(where);
  const header = parsedHeader(block, pending);
  if (header === undefined) throw noHeader(where, position);
  if (header.nullBlock) return undefined;
  if (!header.cksumValid || header.size === undefined) throw noHeader(where, position);
  return header;
}

/** Undefined for an invalid size, for which the library may throw an error of its own. */
function parsedHeader(block: Buffer, { local, global }: Pending): Header | undefined {
  try {
    return new Header(block, 0, local, global);
  } catch {
    return undefined;
  }
}

function noHeader(where: string, position: number): UserError {
  if (position === 0) return new UnsupportedError(`${where}: not a tar archive`);
  return new IntegrityError(`${where}: expected a tar header at byte ${position}, found something else`, {
    hint: 'copy or make the archive again',
  });
}

function paddedSize(header: Header, where: string): number {
  const size = bodySize(header);
  if (!Number.isSafeInteger(size)) throw new IntegrityError(`${where}: an entry claims ${size} bytes`);
  return Math.ceil(size / BLOCK) * BLOCK;
}

/**
 * Links and folders have no body, whatever the header says, as in Go's archive/tar, which Docker
 * uses.
 */
function bodySize(header: Header): number {
  const bodiless = LINKS.has(header.type) || header.type === 'Directory';
  return bodiless ? 0 : (header.size ?? 0);
}

function isMeta({ type }: Header): boolean {
  return type.endsWith('ExtendedHeader') || type.startsWith('NextFile') || type === 'OldGnuLongPath';
}

async function readMeta(bytes: ByteReader, header: Header, where: string): Promise<Buffer> {
  const size = header.size ?? 0;
  if (size > LARGEST_META) throw new IntegrityError(`${where}: a name of ${size} bytes is too long`);
  const body = await bytes.read(size);
  if (body.length < size) throw truncated(where);
  return body;
}

function withMeta({ type }: Header, body: Buffer, pending: Pending): Pending {
  const text = body.toString('utf8');
  if (type === 'GlobalExtendedHeader') return { ...pending, global: Pax.parse(text, {}, true) };
  if (type.endsWith('ExtendedHeader')) return { ...pending, local: Pax.parse(text, {}) };
  const name = text.replace(/\0[^]*$/, '');
  return type === 'NextFileHasLongLinkpath' ? { ...pending, linkpath: name } : { ...pending, path: name };
}

function entryOf(header: Header, pending: Pending, offset: number, where: string): TarHeader {
  const name = pending.path ?? header.path ?? '';
  const path = insidePath(name, where);
  const { type } = header;
  if (!LINKS.has(type)) return { path, name, kind: kindOf(type), size: bodySize(header), offset };
  const linkpath = pending.linkpath ?? header.linkpath ?? '';
  const base = type === 'SymbolicLink' ? posix.dirname(path) : '.';
  return { path, name, kind: 'link', size: 0, offset, target: linkTarget(base, linkpath, path, where) };
}

function kindOf(type: Header['type']): 'file' | 'folder' | 'special' {
  if (FILES.has(type)) return 'file';
  return FOLDERS.has(type) ? 'folder' : 'special';
}

function linkTarget(base: string, linkpath: string, path: string, where: string): string {
  const target = posix.join(base, linkpath);
  if (!posix.isAbsolute(linkpath) && target.split('/')[0] !== PARENT) return target;
  throw new IntegrityError(`${where}: the link ${JSON.stringify(path)} leads out of the archive`, {
    hint: 'do not use this archive: no tool that makes images writes such a link',
  });
}

/**
 * The path without `./` and trailing slashes. Throws IntegrityError if it is absolute or contains
 * `..`.
 */
export function insidePath(path: string, where: string): string {
  if (posix.isAbsolute(path) || path.split(/[/\\]/).includes(PARENT) || path.includes('\0')) {
    throw new IntegrityError(`${where}: the name ${JSON.stringify(path)} leads out of the archive`, {
      hint: 'do not use this archive: no tool that makes images writes such a name',
    });
  }
  return posix.normalize(path === '' ? '.' : path).replace(/\/$/, '');
}

async function skipTo(bytes: ByteReader, position: number, where: string): Promise<void> {
  await bytes.skip(position - bytes.position);
  if (bytes.position < position) throw truncated(where);
}

export function truncated(where: string): IntegrityError {
  return new IntegrityError(`${where}: the archive is truncated`, {
    hint: 'copy or download it again, and compare its size with the original',
  });
}
