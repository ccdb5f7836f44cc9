import type { TarHeader } from '../../tar/tarRead.ts';
import type { OddEntry } from './report.ts';

/** The entries of one tar of the payload that an update module does not expect. */
export class OddEntries {
  readonly found: OddEntry[] = [];
  readonly #file: string;
  readonly #seen = new Set<string>();

  /** `file`: the name of the tar. */
  constructor(file: string) {
    this.#file = file;
  }

  /** Looks at the next entry of the tar. */
  note({ path, kind }: Pick<TarHeader, 'path' | 'kind'>): void {
    if (kind === 'folder') return;
    if (kind !== 'file') this.found.push({ file: this.#file, path, kind });
    if (this.#seen.has(path)) this.found.push({ file: this.#file, path, kind: 'twice' });
    this.#seen.add(path);
  }
}
