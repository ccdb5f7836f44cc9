import { IntegrityError } from '../errors.ts';
import { compressionOf } from './magic.ts';

/** https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md#the-pointer */
const LFS_POINTER = 'version https://git-lfs.github.com/spec/';

/** How `describeContent` calls a Mender Artifact. */
export const ARTIFACT = 'a Mender Artifact';

/** What a file begins with, as people call it. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^\s*<(!doctype|html|\?xml|!--)/i, 'a web page'],
  [/^\x7fELF/, 'a program'],
  [/^PK\x03\x04/, 'a zip file'],
  [/^version\0[^]*ustar/, ARTIFACT],
  [/^[^]{257}ustar/, 'another tar archive'],
  [/^\s*[{[]/, 'JSON'],
  [/^-----BEGIN /, 'a key or certificate'],
  [/^#!/, 'a script'],
  [/^(#[^\n]*\n|\s)*(---|[\w"'.-]+:(\s|$))/, 'YAML'],
  [/^[\t\n\r\x20-\x7e]+$/, 'text'],
];

/** Bytes that `describeContent` needs of a longer file. */
export const CONTENT_START = 512;

/** True for the small file that git has in place of one in Git LFS. */
export function isLfsPointer(start: Uint8Array): boolean {
  return Buffer.from(start).toString('latin1').startsWith(LFS_POINTER);
}

/**
 * Says what a file is that begins with `start`, like `a zip file`; `unknown data` for all others.
 */
export function describeContent(start: Uint8Array): string {
  if (isLfsPointer(start)) return 'a Git LFS pointer: fetch the file with git lfs pull';
  const compression = compressionOf(start);
  if (compression !== 'none') return `${compression} data`;
  const text = Buffer.from(start).toString('latin1');
  return KINDS.find(([pattern]) => pattern.test(text))?.[1] ?? 'unknown data';
}

/** The error about a file without content: most often the start of a download that failed. */
export function emptyFile(where: string): IntegrityError {
  return new IntegrityError(`${where}: the file is empty`, { hint: 'copy, download or make it again' });
}
