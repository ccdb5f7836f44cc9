/** Content by path; a path that ends in `/` is a folder, a value `{ link }` a symbolic link. */
export type FileMap = Record<string, string | Uint8Array | { link: string }>;

const BLOCK = 512;

/** A tar of the entries in the order given: ustar, root's, all of one time. */
export function tarOf(files: FileMap): Buffer {
  return tarOfList(
    Object.entries(files).map(([path, value]) => {
      const link = typeof value === 'object' && 'link' in value ? value.link : '';
      const content = typeof value === 'object' && 'link' in value ? '' : value;
      return { path, content, link, type: link !== '' ? '2' : path.endsWith('/') ? '5' : '0' };
    }),
  );
}

/** An entry of any type, which a tar may hold twice. */
export interface RawEntry {
  path: string;
  content?: string | Uint8Array;
  /** The header's type flag; a regular file where not given. */
  type?: string;
  link?: string;
  /** Seconds since 1970; the same for all where not given. */
  mtime?: number;
}

/** As `tarOf`, for entries that no map can hold. */
export function tarOfList(entries: readonly RawEntry[]): Buffer {
  const parts = entries.flatMap(({ path, content = '', type = '0', link = '', mtime }) => {
    const bytes = Buffer.from(content);
    return [headerOf(path, type, bytes.length, link, mtime), bytes, padding(bytes.length)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06 */
function headerOf(path: string, type: string, size: number, link: string, mtime = 1_704_067_200): Buffer {
  const header = Buffer.alloc(BLOCK);
  const { name, prefix } = split(path);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  header.write(name, 0);
  header.write(octal(type === '5' ? 0o755 : 0o644, 8), 100);
  header.write(octal(0, 8) + octal(0, 8), 108);
  header.write(octal(size, 12) + octal(mtime, 12), 124);
  header.write(`        ${type}${link}`, 148);
  header.write('ustar\x0000', 257);
  header.write(prefix, 345);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

function split(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  const slash = path.indexOf('/', path.length - 101);
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) };
}
