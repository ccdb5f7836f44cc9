/** The used part of https://github.com/addaleax/lzma-native */
declare module 'lzma-native' {
  import type { Duplex } from 'node:stream';

  /** Parameters of the filter, as `man xz` names them. https://tukaani.org/xz/xz-file-format.txt */
  export interface Lzma2Options {
    dictSize: number;
    mode: number;
    niceLen: number;
    mf: number;
    depth: number;
  }

  interface EncoderOptions {
    check: number;
    /** Default one, with one block. */
    threads?: number;
    /** Bytes of uncompressed data. */
    blockSize?: number;
    filters: readonly { id: string; options: Lzma2Options }[];
  }

  interface DecoderOptions {
    /** Bytes. */
    memlimit: number;
    flags: number;
  }

  export interface Lzma {
    createStream(coder: 'streamEncoder', options: EncoderOptions): Duplex;
    createStream(coder: 'streamDecoder', options: DecoderOptions): Duplex;
    CHECK_CRC64: number;
    FILTER_LZMA2: string;
    MODE_FAST: number;
    MODE_NORMAL: number;
    MF_HC3: number;
    MF_HC4: number;
    MF_BT4: number;
    CONCATENATED: number;
    TELL_UNSUPPORTED_CHECK: number;
  }

  const lzma: Lzma;
  export default lzma;
}
