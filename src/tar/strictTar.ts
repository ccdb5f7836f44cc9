import { isUtf8 } from 'node:buffer';
import type { Header } from 'tar';
import { IntegrityError } from '../errors.ts';
import type { Pending, TarRules } from './tarRead.ts';

/** Where the size of an entry may be. Sizes of 8 GiB and more fit in no plain header. */
export type SizePlace = 'header' | 'pax';

const SMALLEST_PAX_SIZE = 8 ** 11;

/** Keys that change no more than what a file is called, when it was written and whose it is. */
const KEYS =
  /^(?:path|linkpath|[mac]time|[ug]id|[ug]name|comment|SCHILY\.(?:dev|ino|nlink|fflags|acl\..+|xattr\..+)|LIBARCHIVE\.(?:creationtime|xattr\..+))$/;

/**
 * Rules for a tar that another program unpacks later. GNU tar, BusyBox and Go read some tars in
 * different ways, so that a device could get other files than were verified. The rules allow only
 * what all of them read alike: one pax header or GNU long names before an entry, with known keys
 * and exact lengths. `sizes`: `pax` allows a pax size of 8 GiB or more, which BusyBox ignores.
 * `where` names the tar in the IntegrityError that the rules throw.
 */
export function strictTar(where: string, sizes: SizePlace): TarRules {
  const refuse = (why: string | undefined): void => {
    if (why === undefined) return;
    throw new IntegrityError(`${where}: it may be read in two ways: ${why}`, {
      hint: 'do not install this artifact; build it again with this tool',
    });
  };
  return {
    meta: (header, body, before) => {
      refuse(orderFault(header.type, before));
      refuse(header.type === 'ExtendedHeader' ? paxFault(body, sizes) : nameFault(body));
    },
    entry: (header, block, before) => {
      refuse(LINKS.has(header.type) ? undefined : targetFault(header, before));
      refuse(BODILESS.has(header.type) ? bodyFault(header, block) : undefined);
    },
  };
}

const LINKS: ReadonlySet<string> = new Set<Header['type']>(['Link', 'SymbolicLink']);
const BODILESS: ReadonlySet<string> = new Set<Header['type']>(['Link', 'SymbolicLink', 'Directory']);

/** BusyBox makes a hard link of an empty file that has a target. */
function targetFault({ linkpath }: Header, before: Pending): string | undefined {
  const targets = [linkpath, before.linkpath, before.local?.linkpath];
  return targets.some(Boolean) ? 'a file that is no link has the target of a link' : undefined;
}

/** Some programs skip a body here. A file whose name ends with a slash is a folder to others. */
function bodyFault({ type }: Header, block: Buffer): string | undefined {
  if (type === 'Directory' && block[TYPE_FLAG] !== FOLDER_FLAG) return 'a folder has the type of a file';
  const size = block.subarray(...SIZE_FIELD);
  return /^[0 \0]*$/.test(size.toString('latin1')) ? undefined : 'a folder or link has a body';
}

/** https://www.gnu.org/software/tar/manual/html_node/Standard.html */
const TYPE_FLAG = 156;
const FOLDER_FLAG = 0x35;
const SIZE_FIELD = [124, 136] as const;

function orderFault(type: Header['type'], { local, path, linkpath }: Pending): string | undefined {
  const several = 'several headers describe one file';
  const before: Partial<Record<Header['type'], unknown>> = {
    ExtendedHeader: local ?? path ?? linkpath,
    NextFileHasLongPath: local ?? path,
    NextFileHasLongLinkpath: local ?? linkpath,
  };
  if (!(type in before)) return `it has a header of the type ${type}`;
  return before[type] === undefined ? undefined : several;
}

/** A GNU long name ends with a zero byte, or with the body. */
function nameFault(body: Buffer): string | undefined {
  return /^[^\0]+\0*$/.test(body.toString('latin1')) ? undefined : 'a long name is malformed';
}

function paxFault(body: Buffer, sizes: SizePlace): string | undefined {
  const records = recordsOf(body.toString('latin1'));
  if (records === undefined) return 'a pax record is malformed';
  if (new Set(records.map(({ key }) => key)).size < records.length) return 'a pax key is there twice';
  const wrong = records.find((record) => !isAllowed(record, sizes));
  return wrong && `it has the pax record ${JSON.stringify(`${wrong.key}=${wrong.value}`.slice(0, 100))}`;
}

interface PaxRecord {
  key: string;
  /** Its bytes, as Latin-1. */
  value: string;
}

function isAllowed({ key, value }: PaxRecord, sizes: SizePlace): boolean {
  if (key === 'size')
    return sizes === 'pax' && /^\d{1,15}$/.test(value) && Number(value) >= SMALLEST_PAX_SIZE;
  if (key !== 'path' && key !== 'linkpath') return KEYS.test(key);
  return value !== '' && !value.includes('\0') && isUtf8(Buffer.from(value, 'latin1'));
}

/**
 * The records of a pax header, or undefined unless all of them have exactly the length that they
 * say and one line each. Some readers go by the lines, and others by the lengths.
 */
function recordsOf(text: string): PaxRecord[] | undefined {
  const records: PaxRecord[] = [];
  for (let at = 0; at < text.length;) {
    const [start = ''] = /^[1-9]\d{0,6} /.exec(text.slice(at, at + 8)) ?? [];
    const line = text.slice(at + start.length, at + Number(start));
    const equals = line.indexOf('=');
    if (start === '' || equals < 1 || line.indexOf('\n') !== line.length - 1) return undefined;
    records.push({ key: line.slice(0, equals), value: line.slice(equals + 1, -1) });
    at += Number(start);
    if (at > text.length) return undefined;
  }
  return records;
}
