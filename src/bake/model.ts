/** What a bake file says of one target. */
export interface BakeTarget {
  /** Names of targets whose settings this one takes over; a later one wins over an earlier one. */
  inherits: readonly string[];
  /** Variables for the Compose files, over those of the environment. */
  variables: Readonly<Record<string, string>>;
  /** Values by the names of `build`'s options, as they are written. */
  settings: Readonly<Record<string, unknown>>;
}

/** A bake file, as it is written. */
export interface BakeFile {
  /** Absolute. */
  path: string;
  /** Names of targets and groups, by group. */
  groups: ReadonlyMap<string, readonly string[]>;
  targets: ReadonlyMap<string, BakeTarget>;
}

/** A target with everything that it takes over. */
export interface ResolvedTarget extends Omit<BakeTarget, 'inherits'> {
  name: string;
}
