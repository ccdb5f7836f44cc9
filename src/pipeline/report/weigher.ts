import { deflateRawSync } from 'node:zlib';

/** Something that has a share of the compressed artifact. */
export interface Weighed {
  /** Estimated bytes after compression. */
  weight: number;
}

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
