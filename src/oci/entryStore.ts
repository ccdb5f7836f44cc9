/** The names of entries: 64 hex digits, those of a SHA-256. */
export const ENTRY_NAME = /^[0-9a-f]{64}$/;

/** What a place says of an entry that it holds. */
export interface FoundEntry {
  /** When it was stored, in milliseconds since 1970. 0 if nobody knows. */
  stored: number;
}

/**
 * A place that several machines share, with files by name: a repository of a registry, or a folder.
 * An entry never changes its meaning, so writers need no lock.
 */
export interface EntryStore {
  /** For people. */
  readonly place: string;
  /**
   * Writes an entry to the new file `path`, and returns undefined if there is none. Throws
   * IntegrityError for one that is damaged or has more than `most` bytes, NotFoundError if there is
   * no such place, and what the place makes it throw.
   */
  fetch(name: string, path: string, most: number): Promise<FoundEntry | undefined>;
  /** Returns the entry if it has exactly the bytes of the file at `path`. */
  findSame(name: string, path: string): Promise<FoundEntry | undefined>;
  /** Stores the file at `path` under a name, in the place of what has that name. */
  store(name: string, path: string): Promise<void>;
}

/** An entry in the list of a place. */
export interface ListedEntry extends FoundEntry {
  name: string;
  /** What the place knows it by. */
  id: string;
  /** Bytes. */
  size: number;
  /** True if something else has the same id: it would be deleted as well. */
  isShared: boolean;
}

/** A place whose entries can be listed and deleted. */
export interface EntryShelf {
  /** For people. */
  readonly place: string;
  /** Lists all entries and nothing else. Undefined if there is no such place. */
  list(): Promise<ListedEntry[] | undefined>;
  /** Deletes what killed writers left more than a day ago, if the place does not do so itself. */
  sweep?(): Promise<void>;
  /**
   * Deletes an entry. Returns `gone` if somebody else deleted it, and `kept` if somebody stored it
   * again since it was listed.
   */
  delete(entry: ListedEntry): Promise<'deleted' | 'gone' | 'kept'>;
}
