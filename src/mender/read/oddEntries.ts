import { IntegrityError } from '../../errors.ts';
import type { TarHeader } from '../../tar/tarRead.ts';
import type { OddEntry } from './report.ts';

/** Linux takes no longer path, in bytes. */
const LONGEST_PATH = 4096;
/** Each level of a path is kept as a text of its own. */
const MOST_LEVELS = 100;
/** Of one artifact, over all its tars. */
const MOST_ENTRIES = 200_000;
/** Characters of the names that are kept of one artifact. */
const MOST_CHARACTERS = 64 << 20;
/** After so many, nobody reads on. */
const MOST_ODD = 1000;

/** What all tars of one artifact have used together. */
interface Used {
  entries: number;
  characters: number;
  odd: OddEntry[];
}

/** The entries of one tar of the payload that an update module does not expect. */
export class OddEntries {
  readonly #file: string;
  readonly #prefix: string;
  readonly #used: Used;
  readonly #seen = new Set<string>();
  readonly #folders = new Set<string>();

  /** `file`: the name of the tar. */
  constructor(file: string, prefix = '', used: Used = { entries: 0, characters: 0, odd: [] }) {
    this.#file = file;
    this.#prefix = prefix;
    this.#used = used;
  }

  /** Of all tars of the artifact. */
  get found(): OddEntry[] {
    return this.#used.odd;
  }

  /** Entries of a tar at `path` in this one, which are found here as well. */
  inside(path: string): OddEntries {
    return new OddEntries(this.#file, `${this.#prefix}${path}/`, this.#used);
  }

  /** Entries of another tar of the same artifact, which are found here as well. */
  ofFile(file: string): OddEntries {
    return new OddEntries(file, '', this.#used);
  }

  /**
   * Looks at the next entry of the tar. Throws IntegrityError for a name of more than 4096
   * characters or 100 folders, and for an artifact of more than 200000 entries, 64 MiB of names or
   * 1000 odd entries.
   */
  note({ path, kind }: Pick<TarHeader, 'path' | 'kind'>): void {
    this.#used.entries += 1;
    if (this.#used.entries > MOST_ENTRIES) throw this.#excess(`more than ${MOST_ENTRIES} files`);
    if (kind === 'folder') return;
    if (path.length > LONGEST_PATH) throw this.#excess(`a name of ${path.length} characters is too long`);
    if (kind !== 'file') this.#add(path, kind);
    const above = this.#foldersAbove(path);
    if (this.#seen.has(path)) this.#add(path, 'twice');
    if (this.#folders.has(path)) this.#add(path, 'both');
    for (const folder of above.filter((one) => this.#seen.has(one))) this.#add(folder, 'both');
    for (const folder of above) this.#keep(folder, this.#folders);
    this.#keep(path, this.#seen);
  }

  /** A file that nothing in the payload refers to. */
  noteStray(path: string): void {
    this.#add(path, 'stray');
  }

  #add(path: string, kind: OddEntry['kind']): void {
    const { odd } = this.#used;
    odd.push({ file: this.#file, path: this.#prefix + path, kind });
    if (odd.length > MOST_ODD) throw this.#excess(`more than ${MOST_ODD} entries that no device expects`);
  }

  #keep(name: string, names: Set<string>): void {
    if (names.has(name)) return;
    names.add(name);
    this.#used.characters += name.length;
    if (this.#used.characters > MOST_CHARACTERS)
      throw this.#excess(`more than ${MOST_CHARACTERS} bytes of names`);
  }

  #foldersAbove(path: string): string[] {
    const words = path.split('/').slice(0, -1);
    if (words.length > MOST_LEVELS) throw this.#excess(`a name of more than ${MOST_LEVELS} folders`);
    return words.map((_, index) => words.slice(0, index + 1).join('/'));
  }

  #excess(found: string): IntegrityError {
    return new IntegrityError(`${this.#file}: ${found}`);
  }
}
