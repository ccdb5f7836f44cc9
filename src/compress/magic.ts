export type CompressionFormat = 'gzip' | 'zstd' | 'xz' | 'bzip2' | 'none';

/** The first bytes of each format. */
export const MAGIC_BYTES = {
  gzip: Buffer.from([0x1f, 0x8b]),
  zstd: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
  xz: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
  bzip2: Buffer.from('BZh'),
  /** The old program `compress`, whose files end with `.Z`. */
  compress: Buffer.from([0x1f, 0x9d]),
};

const KNOWN = ['gzip', 'zstd', 'xz', 'bzip2'] as const;
/** Skippable frames of zstd, which may come before the first real one: 0x184D2A50 to 0x184D2A5F. */
const SKIPPABLE = Buffer.from([0x2a, 0x4d, 0x18]);
/** Bytes that `compressionOf` needs to know every format. */
export const LONGEST_MAGIC = 6;

/** True if `head` begins with all of `magic`. */
export function beginsWith(head: Uint8Array, magic: Uint8Array): boolean {
  return Buffer.compare(head.subarray(0, magic.length), magic) === 0;
}

/**
 * The compression of content that begins with `head`: its first `LONGEST_MAGIC` bytes, or all of
 * them.
 */
export function compressionOf(head: Uint8Array): CompressionFormat {
  const known = KNOWN.find((name) => beginsWith(head, MAGIC_BYTES[name]));
  if (known !== undefined) return known;
  const isSkippable = ((head[0] ?? 0) & 0xf0) === 0x50 && beginsWith(head.subarray(1), SKIPPABLE);
  return isSkippable ? 'zstd' : 'none';
}
