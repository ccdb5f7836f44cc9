import { deflateRawSync } from 'node:zlib';

/** Something that has a share of the compressed artifact. */
export interface Weighed {
  /** Estimated bytes after compression. */
  weight: number;
}

/** What an artifact holds besides layers. All numbers are bytes before compression. */
export interface RestParts {
  /** Compose files, local files and the configs of images. */
  texts: number;
  /** State scripts with the digests of their contents. */
  scripts: readonly { sha256: string; size: number }[];
  /** The program that reads the patches; 0 without one. */
  decoder: number;
  /** What no compression touches. */
  frame: number;
}

/** Texts and JSON have about this share of their bytes after compression. */
const TEXT_RATIO = 0.3;
/** Measured: the decoders for devices. */
const PROGRAM_RATIO = 0.5;
/** Bytes, measured: the outer tar with the version and the checksums, and the headers in it. */
export const FRAME: number = 6 << 10;

const BLOCK = 64 << 10;
/** So many blocks are compressed, and then only each eighth one. */
const ALL_UP_TO = 64;
const ONE_OF = 8;

/**
 * Estimates what bytes have after compression, and who they belong to. Bytes are compressed in
 * blocks of 64 KiB together with their neighbours, as a small file alone compresses badly. Of many
 * blocks it compresses some. Equal input gives equal estimates.
 */
export class Weigher {
  readonly #block = Buffer.alloc(BLOCK);
  #filled = 0;
  #shares: { owner: Weighed; size: number }[] = [];
  #blocks = 0;
  #ratio = 1;

  /** Adds bytes that belong to `owner`. Its weight is complete after `finish`. */
  add(owner: Weighed, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const size = Math.min(bytes.length - at, BLOCK - this.#filled);
      this.#block.set(bytes.subarray(at, at + size), this.#filled);
      this.#filled += size;
      this.#share(owner, size);
      at += size;
      if (this.#filled === BLOCK) this.finish();
    }
  }

  /** Weighs what was added since the last full block. */
  finish(): void {
    if (this.#filled === 0) return;
    if (this.#blocks < ALL_UP_TO || this.#blocks % ONE_OF === 0) this.#ratio = this.#measure();
    this.#blocks += 1;
    for (const { owner, size } of this.#shares) owner.weight += size * this.#ratio;
    this.#filled = 0;
    this.#shares = [];
  }

  #share(owner: Weighed, size: number): void {
    const last = this.#shares.at(-1);
    if (last?.owner === owner) last.size += size;
    else this.#shares.push({ owner, size });
  }

  #measure(): number {
    const packed = deflateRawSync(this.#block.subarray(0, this.#filled), { level: 1 });
    return Math.min(1, packed.length / this.#filled);
  }
}

/** Estimates what the decoder has after compression. Pure. */
export function decoderWeight({ decoder }: RestParts): number {
  return decoder * PROGRAM_RATIO;
}

/**
 * Estimates what everything that is no layer and no decoder has after compression. Several scripts
 * of one content count once, as the compression finds the others. Pure.
 */
export function restWeight({ texts, scripts, frame }: RestParts): number {
  const distinct = new Map(scripts.map(({ sha256, size }) => [sha256, size]));
  const allTexts = [...distinct.values()].reduce((sum, size) => sum + size, texts);
  return frame + allTexts * TEXT_RATIO;
}
