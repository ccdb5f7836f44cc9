/** [start, end) of `bytes`. */
export interface Target {
  bytes: Uint8Array;
  start: number;
  end: number;
}

/** The first `length` bytes of `bytes`. */
export interface Source {
  bytes: Uint8Array;
  length: number;
  /** Where the target's start probably is, minus that start. */
  distance: number;
}
