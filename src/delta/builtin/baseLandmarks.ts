import type { Readable } from '../tar/positioned.ts';
import { addLandmark, eachLandmark, makeLandmarks, type Landmarks } from './landmarks.ts';
import type { EntryPairs } from './types.ts';
import { sampleSum } from './sampleSum.ts';

/**
 * The base version of a file is matched as a whole up to this size (bytes), a larger one in the
 * parts that the landmarks name.
 */
export const LARGEST_WHOLE: number = 8 << 20;

/** Bytes that are read at once. */
const PIECE = 1 << 20;
/** The smallest body (bytes) whose landmarks are worth the search. */
const SMALLEST = 256;

/**
 * The landmarks of the base bodies that no new body seems to equal: new content is likely to come
 * from them.
 */
export function findBaseLandmarks(pairs: EntryPairs, file: Readable, newFile: Readable): Landmarks {
  const used = usedBodies(pairs, file, newFile);
  const { body, size, count } = pairs.base;
  const entries: number[] = [];
  let bytes = 0;
  for (let entry = 0; entry < count; entry++) {
    if (used[entry] === 1 || size[entry]! < SMALLEST) continue;
    entries.push(entry);
    bytes += size[entry]!;
  }
  const landmarks = makeLandmarks(bytes);
  for (const entry of entries) addBody(landmarks, file, body[entry]!, size[entry]!);
  return landmarks;
}

/**
 * 1 for each base body that is paired with a new body of the same size; for a large one the samples
 * must be the same as well.
 */
function usedBodies(pairs: EntryPairs, baseFile: Readable, newFile: Readable): Uint8Array {
  const used = new Uint8Array(pairs.base.count);
  for (let entry = 0; entry < pairs.new.count; entry++) {
    const pair = pairs.body[entry]!;
    const size = pairs.new.size[entry]!;
    if (pair < 0 || pairs.base.size[pair] !== size) continue;
    const alike = () => sampleSum(baseFile, pairs.base, pair) === sampleSum(newFile, pairs.new, entry);
    if (size <= LARGEST_WHOLE || alike()) used[pair] = 1;
  }
  return used;
}

function addBody(landmarks: Landmarks, file: Readable, from: number, size: number): void {
  for (let done = 0; done < size; done += PIECE) {
    const bytes = file.view(from + done, Math.min(PIECE, size - done));
    eachLandmark(bytes, 0, bytes.length, landmarks.bits, (sum, at) =>
      addLandmark(landmarks, sum, from + done + at),
    );
  }
}
