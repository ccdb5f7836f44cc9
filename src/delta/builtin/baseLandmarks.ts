import type { PositionedFile } from '../tar/positioned.ts';
import { addLandmark, eachLandmark, makeLandmarks, type Landmarks } from './landmarks.ts';
import type { EntryPairs } from './types.ts';
import { sampleSum } from './sampleSum.ts';

/** Base versions up to this are matched as a whole, larger ones where the landmarks say. */
export const LARGEST_WHOLE: number = 8 << 20;

/** The most bytes that are read at once. */
const PIECE = 1 << 20;
/** Smaller bodies have no landmarks worth the search. */
const SMALLEST = 256;

/** The landmarks of those base bodies that no new one seems to equal: the likely sources of what is new. */
export function findBaseLandmarks(
  pairs: EntryPairs,
  file: PositionedFile,
  newFile: PositionedFile,
): Landmarks {
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

/** 1 for each base body that has the size of the new body that it is paired with; if it is large, the same ends as well. */
function usedBodies(pairs: EntryPairs, baseFile: PositionedFile, newFile: PositionedFile): Uint8Array {
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

function addBody(landmarks: Landmarks, file: PositionedFile, from: number, size: number): void {
  for (let done = 0; done < size; done += PIECE) {
    const bytes = file.view(from + done, Math.min(PIECE, size - done));
    eachLandmark(bytes, 0, bytes.length, landmarks.bits, (sum, at) =>
      addLandmark(landmarks, sum, from + done + at),
    );
  }
}
