/** Content by path; a path that ends in `/` is a folder, a value `{ link }` a symbolic link. */
export type FileMap = Record<string, string | Uint8Array | { link: string }>;

const BLOCK = 512;

/** A tar of the entries in the order given: ustar, root's, all of one time. */
export function tarOf(files: FileMap): Buffer {
  const parts = Object.entries(files).flatMap(([path, value]) => {
    const link = typeof value === 'object' && 'link' in value ? value.link : '';
    const content = typeof value === 'object' && 'link' in value ? Buffer.alloc(0) : Buffer.from(value);
    const type = link !== '' ? '2' : path.endsWith('/') ? '5' : '0';
    return [headerOf(path, type, content.length, link), content, padding(content.length)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06 */
function headerOf(path: string, type: string, size: number, link: string): Buffer {
  const header = Buffer.alloc(BLOCK);
  const { name, prefix } = split(path);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  header.write(name, 0);
  header.write(octal(type === '5' ? 0o755 : 0o644, 8), 100);
  header.write(octal(0, 8) + octal(0, 8), 108);
  header.write(octal(size, 12) + octal(1_704_067_200, 12), 124);
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
