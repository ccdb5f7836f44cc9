/** What a file begins with, as people call it. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^version https:\/\/git-lfs\.github\.com\/spec\//, 'a Git LFS pointer: fetch the file with git lfs pull'],
  [/^\s*<(!doctype|html|\?xml|!--)/i, 'a web page'],
  [/^\x7fELF/, 'a program'],
  [/^PK\x03\x04/, 'a zip file'],
  [/^\x1f\x8b/, 'gzip data'],
  [/^\x28\xb5\x2f\xfd/, 'zstd data'],
  [/^\xfd7zXZ\0/, 'xz data'],
  [/^[^]{257}ustar/, 'another tar archive'],
  [/^\s*[{[]/, 'JSON'],
  [/^-----BEGIN /, 'a key or certificate'],
  [/^#!/, 'a script'],
  [/^(#[^\n]*\n|\s)*(---|[\w"'.-]+:(\s|$))/, 'YAML'],
  [/^[\t\n\r\x20-\x7e]+$/, 'text'],
];

/** Bytes that `describeContent` needs of a longer file. */
export const CONTENT_START = 512;

/** Says what a file is that begins with `start`, like `a zip file`; `unknown data` for all others. */
export function describeContent(start: Uint8Array): string {
  const text = Buffer.from(start).toString('latin1');
  return KINDS.find(([pattern]) => pattern.test(text))?.[1] ?? 'unknown data';
}
