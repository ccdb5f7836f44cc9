import type { EntryTable } from '../tar/entryTable.ts';
import type { Landmarks } from './landmarks.ts';

/**
 * For each entry of the new layer, the entry of the base layer that it probably comes from. In
 * shared memory.
 */
export interface EntryPairs {
  base: EntryTable;
  new: EntryTable;
  /** The base entry with a similar header, by new entry, or -1. */
  header: Int32Array;
  /** The base entry with an equal or similar body, by new entry, or -1. */
  body: Int32Array;
  /** The landmarks of the base bodies that no new body equals. */
  landmarks: Landmarks;
}

/** [start, end) of `bytes`. */
export interface EncodedRange {
  bytes: Uint8Array;
  start: number;
  end: number;
}

/** The first `length` bytes of `bytes`. */
export interface Source {
  bytes: Uint8Array;
  length: number;
  /** The probable counterpart of the target's start, minus that start. */
  distance: number;
}

/**
 * Receives the copies in the order of the target: position in the target, position in the source,
 * size.
 */
export type TakeCopy = (at: number, from: number, size: number) => void;
