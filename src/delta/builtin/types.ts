import type { EntryTable } from '../tar/entryTable.ts';
import type { Landmarks } from './landmarks.ts';

/** Which part of the base layer each entry of the new one is probably made of; on shared memory. */
export interface EntryPairs {
  base: EntryTable;
  new: EntryTable;
  /** For each new entry the base one whose header its header resembles, or -1. */
  header: Int32Array;
  /** For each new entry the base one whose body its body equals or resembles, or -1. */
  body: Int32Array;
  /** Of the base bodies that are no new body as they are. */
  landmarks: Landmarks;
}

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
