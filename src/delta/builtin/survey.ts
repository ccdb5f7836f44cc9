import type { PositionedFile } from '../tar/positioned.ts';
import { addLandmark, eachLandmark, makeLandmarks, type Landmarks } from './landmarks.ts';
import type { Plan } from './types.ts';
import { sampleSum } from './sampleSum.ts';

/** Old versions up to this are matched as a whole, larger ones where the landmarks say. */
export const LARGEST_WHOLE: number = 8 << 20;

/** The most bytes that are read at once. */
const PIECE = 1 << 20;
/** Smaller bodies have no landmarks worth the search. */
const SMALLEST = 256;

/** The landmarks of those old bodies that no new one seems to equal: the likely sources of what is new. */
export function surveyOld(plan: Plan, file: PositionedFile, newFile: PositionedFile): Landmarks {
  const used = usedBodies(plan, file, newFile);
  const { body, size, count } = plan.old;
  const entries: number[] = [];
  let bytes = 0;
  for (let entry = 0; entry < count; entry++) {
    if (used[entry] === 1 || size[entry]! < SMALLEST) continue;
    entries.push(entry);
    bytes += size[entry]!;
  }
  const landmarks = makeLandmarks(bytes);
  for (const entry of entries) surveyBody(landmarks, file, body[entry]!, size[entry]!);
  return landmarks;
}

/** 1 for each old body that has the size of the new body that it is paired with; if it is large, the same ends as well. */
function usedBodies(plan: Plan, oldFile: PositionedFile, newFile: PositionedFile): Uint8Array {
  const used = new Uint8Array(plan.old.count);
  for (let entry = 0; entry < plan.new.count; entry++) {
    const pair = plan.body[entry]!;
    const size = plan.new.size[entry]!;
    if (pair < 0 || plan.old.size[pair] !== size) continue;
    const alike = () => sampleSum(oldFile, plan.old, pair) === sampleSum(newFile, plan.new, entry);
    if (size <= LARGEST_WHOLE || alike()) used[pair] = 1;
  }
  return used;
}

function surveyBody(landmarks: Landmarks, file: PositionedFile, from: number, size: number): void {
  for (let done = 0; done < size; done += PIECE) {
    const bytes = file.view(from + done, Math.min(PIECE, size - done));
    eachLandmark(bytes, 0, bytes.length, landmarks.bits, (sum, at) =>
      addLandmark(landmarks, sum, from + done + at),
    );
  }
}
