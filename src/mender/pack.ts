import { gzip } from '../io/gzip.ts';
import { xz } from '../io/xz.ts';
import { zstd } from '../io/zstdCompress.ts';
import type { Packing } from './packing.ts';

/** The content compressed, with up to `threads` threads; the bytes do not depend on their number. */
export function packed(
  content: AsyncIterable<Buffer>,
  packing: Packing,
  threads: number,
): AsyncIterable<Buffer> {
  switch (packing.compression) {
    case 'none':
      return content;
    case 'gzip':
      return gzip(content, packing.level, threads);
    case 'lzma':
      return xz(content, packing.level, threads, packing.reach);
    case 'zstd':
      return zstd(content, packing.level);
  }
}
