import fc from 'fast-check';

/** Deterministic content, described so that it shrinks well. */
export interface Content {
  kind: 'noise' | 'text' | 'zeros' | 'repeats';
  seed: number;
  size: number;
}

/** An entry of a tar; `claimedSize` is what its header says, the truth where undefined. */
export interface TarEntry {
  path: string;
  type: 'file' | 'folder' | 'link' | 'hardLink';
  /** How the path is stored. */
  naming: 'ustar' | 'gnu' | 'pax';
  content: Content;
  time: number;
  claimedSize?: number;
  /** Bytes of the content that are turned over. */
  flips: number[];
}

/** What happens to one entry between two versions of a layer, or to the bytes of the whole. */
export type Mutation =
  | {
      does: 'flip' | 'move' | 'remove' | 'rename' | 'touch' | 'double' | 'resize' | 'lie';
      entry: number;
      amount: number;
    }
  | { does: 'cut' | 'prefix'; amount: number };

const BLOCK = 512;
const TYPES = { file: '0', hardLink: '1', link: '2', folder: '5' };
const ALPHABET = 'the quick brown fox jumps over a lazy dog\n{}();=0123456789';

/** The bytes of a description. */
export function contentOf({ kind, seed, size }: Content): Buffer {
  const bytes = Buffer.alloc(size);
  if (kind === 'zeros') return bytes;
  let state = Math.imul(seed + 1, 0x9e3779b1) || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  const period = kind === 'repeats' ? 1 + (next() % 300) : size;
  for (let at = 0; at < Math.min(size, period); at++) {
    bytes[at] = kind === 'text' ? ALPHABET.charCodeAt(next() % ALPHABET.length) : next();
  }
  for (let at = period; at < size; at++) bytes[at] = bytes[at - period]!;
  return bytes;
}

/** The records of `size` bytes, in another order. */
export function shuffled(bytes: Buffer, size: number): Buffer {
  const count = bytes.length / size;
  const records = Array.from({ length: count }, (_, index) => ((index * 40_503) % count) * size);
  return Buffer.concat(records.map((start) => bytes.subarray(start, start + size)));
}

/** The tar of the entries, as real archives or lying ones are. */
export function tarOfEntries(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(entryBytes), Buffer.alloc(2 * BLOCK)]);
}

function entryBytes(entry: TarEntry): Buffer[] {
  const body = entry.type === 'file' ? contentOf(entry.content) : Buffer.alloc(0);
  for (const flip of entry.flips) if (body.length > 0) body[flip % body.length]! ^= 1 + (flip % 255);
  const header = headerOf(entry.path, TYPES[entry.type], entry.claimedSize ?? body.length, entry.time);
  return [...extension(entry), header, padded(body)];
}

function extension({ naming, path, time }: TarEntry): Buffer[] {
  if (naming === 'ustar') return [];
  const body = naming === 'gnu' ? Buffer.from(`${path}\0`) : paxRecord('path', path);
  const [name, type] = naming === 'gnu' ? ['././@LongLink', 'L'] : ['PaxHeaders/x', 'x'];
  return [headerOf(name, type, body.length, time), padded(body)];
}

function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.from(`${length}${rest}`);
}

function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)]);
}

/** A ustar header with the right checksum; sizes of 8 GiB and more in base 256. */
function headerOf(path: string, type: string, size: number, time: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  header.write(path, 0, 100);
  header.write(octal(0o644, 8) + octal(0, 8) + octal(0, 8), 100);
  if (size < 2 ** 33) header.write(octal(size, 12), 124);
  else {
    header.writeUInt8(0x80, 124);
    header.writeBigUInt64BE(BigInt(size), 128);
  }
  header.write(`${octal(time, 12)}        ${type}`, 136);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** The tar of `entries` after the mutations. */
export function mutate(entries: readonly TarEntry[], mutations: readonly Mutation[]): Buffer {
  const changed = entries.map((entry) => ({ ...entry, flips: [...entry.flips] }));
  for (const mutation of mutations) mutateEntries(changed, mutation);
  return mutations.reduce(mutateBytes, tarOfEntries(changed));
}

function mutateEntries(entries: TarEntry[], mutation: Mutation): void {
  if (!('entry' in mutation) || entries.length === 0) return;
  const { amount } = mutation;
  const index = mutation.entry % entries.length;
  const entry = entries[index]!;
  switch (mutation.does) {
    case 'flip':
      entry.flips.push(amount, amount * 7);
      break;
    case 'move':
      entries.splice(amount % entries.length, 0, ...entries.splice(index, 1));
      break;
    case 'remove':
      entries.splice(index, 1);
      break;
    case 'rename':
      entry.path = `renamed-${amount}/${entry.path}`;
      break;
    case 'touch':
      entry.time += amount;
      break;
    case 'double':
      entries.splice(amount % entries.length, 0, { ...entry, path: `${entry.path}.${amount}` });
      break;
    case 'resize':
      entry.content = { ...entry.content, size: amount };
      break;
    case 'lie':
      entry.claimedSize = amount * amount;
      break;
  }
}

function mutateBytes(tar: Buffer, mutation: Mutation): Buffer {
  if (mutation.does === 'cut') return tar.subarray(0, Math.max(0, tar.length - mutation.amount));
  if (mutation.does !== 'prefix') return tar;
  return Buffer.concat([
    contentOf({ kind: 'noise', seed: mutation.amount, size: mutation.amount % 1500 }),
    tar,
  ]);
}

const contents = fc.record({
  kind: fc.constantFrom('noise', 'text', 'zeros', 'repeats'),
  seed: fc.nat(40),
  size: fc.oneof(
    fc.nat(40),
    fc.nat(6000),
    fc.constantFrom(511, 512, 513, 4096, 65_536),
    fc.nat({ max: 200_000 }),
  ),
}) satisfies fc.Arbitrary<Content>;

const paths = fc.oneof(
  fc.constantFrom(
    'a',
    'usr/lib/libssl.so.1.1',
    'usr/lib/libssl.so.3.0.2',
    'app/index.js',
    'app/lib/index.js',
  ),
  fc.nat(30).map((number) => `app/node_modules/module-${number}/package.json`),
  fc.string({ maxLength: 130, unit: 'grapheme-ascii' }).map((name) => `odd/${name}`),
);

const entriesWith = (content: fc.Arbitrary<Content>, maxLength: number): fc.Arbitrary<TarEntry[]> =>
  fc.array(
    fc.record({
      path: paths,
      type: fc.constantFrom('file', 'file', 'file', 'folder', 'link', 'hardLink'),
      naming: fc.constantFrom('ustar', 'ustar', 'gnu', 'pax'),
      content,
      time: fc.nat(2 ** 30),
      flips: fc.constant([]),
    }),
    { maxLength },
  );

/** Some entries of a layer. */
export const tarEntries: fc.Arbitrary<TarEntry[]> = entriesWith(contents, 12);

/**
 * Entries of a layer that takes several windows of a delta: many of them lie across the border of
 * two.
 */
export const largeTarEntries: fc.Arbitrary<TarEntry[]> = entriesWith(
  fc.oneof(
    contents,
    contents.map((content) => ({ ...content, size: content.size * 41 + 3_000_000 })),
  ),
  7,
);

/** What may happen to a layer between two versions. */
export const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.oneof(
    fc.record({
      does: fc.constantFrom('flip', 'move', 'remove', 'rename', 'touch', 'double', 'resize', 'lie'),
      entry: fc.nat(20),
      amount: fc.nat(70_000),
    }),
    fc.record({ does: fc.constantFrom('cut', 'prefix'), amount: fc.nat(3000) }),
  ),
  { maxLength: 8 },
);
