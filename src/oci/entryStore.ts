/**
 * A place that several machines share, with files by name: a repository of a registry, or a folder.
 * An entry never changes its meaning, so writers need no lock.
 */
export interface EntryStore {
  /** For people. */
  readonly place: string;
  /**
   * Writes an entry to the new file `path`, and returns false if there is none. Throws IntegrityError
   * for one that is damaged or has more than `most` bytes, and what the place makes it throw.
   */
  fetch(name: string, path: string, most: number): Promise<boolean>;
  /** Returns true if the entry has exactly the bytes of the file at `path`. */
  holds(name: string, path: string): Promise<boolean>;
  /** Stores the file at `path` under a name, in the place of what has that name. */
  store(name: string, path: string): Promise<void>;
}
