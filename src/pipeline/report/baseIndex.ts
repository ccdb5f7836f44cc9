import type { CachedLayer } from '../../cache/layers.ts';
import { streamEntries } from '../../delta/tar/streamEntries.ts';
import { readAhead } from '../../io/verify.ts';
import { StreamReader } from '../../tar/byteReader.ts';

/** A file of a base layer. */
export interface BaseLayerFile {
  path: string;
  /** Bytes. */
  size: number;
  modified: number;
  attributes: string;
}

/** The files of a base layer, by path and by position. */
export class BaseIndex {
  readonly #files: BaseLayerFile[] = [];
  readonly #starts: number[] = [];
  readonly #byPath = new Map<string, number>();

  /** Adds the file whose first header is at `start`. Files come in the order of the layer. */
  add(start: number, file: BaseLayerFile): void {
    this.#byPath.set(file.path, this.#files.length);
    this.#files.push(file);
    this.#starts.push(start);
  }

  /** Returns the file with that path, if the layer has it. */
  named(path: string): BaseLayerFile | undefined {
    const index = this.#byPath.get(path);
    return index === undefined ? undefined : this.#files[index];
  }

  /**
   * Calls `visit` for each file that a part of the range belongs to, with the bytes of that part.
   */
  forEachIn(position: number, size: number, visit: (file: BaseLayerFile, bytes: number) => void): void {
    const end = position + size;
    for (let index = Math.max(0, this.#indexAt(position)); ; index++) {
      const file = this.#files[index];
      if (file === undefined) return;
      const start = Math.max(position, index === 0 ? 0 : (this.#starts[index] ?? 0));
      if (start >= end) return;
      visit(file, Math.min(end, this.#starts[index + 1] ?? Infinity) - start);
    }
  }

  #indexAt(position: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#starts[middle] ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Reads the headers of a base layer. Throws the system's error if the file can't be read. */
export async function readBaseIndex({ path }: Pick<CachedLayer, 'path'>): Promise<BaseIndex> {
  const index = new BaseIndex();
  const reader = new StreamReader(readAhead(path));
  for await (const entry of streamEntries(reader)) {
    const { path: name, size, modified, attributes } = entry;
    index.add(entry.start, { path: name, size, modified, attributes });
  }
  reader.close();
  return index;
}
