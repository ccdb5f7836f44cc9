import { IntegrityError } from '../../errors.ts';
import type { TarHeader } from '../../tar/tarRead.ts';
import type { OddEntry } from './report.ts';

/** Linux takes no longer path, in bytes. */
const LONGEST_PATH = 4096;

/** The entries of one tar of the payload that an update module does not expect. */
export class OddEntries {
  readonly found: OddEntry[];
  readonly #file: string;
  readonly #prefix: string;
  readonly #seen = new Set<string>();
  readonly #folders = new Set<string>();

  /** `file`: the name of the tar. */
  constructor(file: string, prefix = '', found: OddEntry[] = []) {
    this.#file = file;
    this.#prefix = prefix;
    this.found = found;
  }

  /** Entries of a tar at `path` in this one, which are found here as well. */
  inside(path: string): OddEntries {
    return new OddEntries(this.#file, `${this.#prefix}${path}/`, this.found);
  }

  /** Looks at the next entry of the tar. Throws IntegrityError for a name of more than 4096 characters. */
  note({ path, kind }: Pick<TarHeader, 'path' | 'kind'>): void {
    if (kind === 'folder') return;
    if (path.length > LONGEST_PATH) {
      throw new IntegrityError(`${this.#file}: a name of ${path.length} characters is too long`);
    }
    if (kind !== 'file') this.#add(path, kind);
    const above = foldersAbove(path);
    if (this.#seen.has(path)) this.#add(path, 'twice');
    if (this.#folders.has(path)) this.#add(path, 'both');
    for (const folder of above.filter((one) => this.#seen.has(one))) this.#add(folder, 'both');
    for (const folder of above) this.#folders.add(folder);
    this.#seen.add(path);
  }

  /** A file that nothing in the payload refers to. */
  noteStray(path: string): void {
    this.#add(path, 'stray');
  }

  #add(path: string, kind: OddEntry['kind']): void {
    this.found.push({ file: this.#file, path: this.#prefix + path, kind });
  }
}

function foldersAbove(path: string): string[] {
  const words = path.split('/').slice(0, -1);
  return words.map((_, index) => words.slice(0, index + 1).join('/'));
}
