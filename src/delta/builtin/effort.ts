import type { Effort } from '../layer.ts';
import type { Thoroughness } from './parser.ts';

const MIB = 1 << 20;

/** How thoroughly a changed body is matched against `length` bytes of source. */
export function thoroughnessOf(effort: Effort, length: number): Thoroughness {
  if (effort === 'best') return { step: 1, nice: 128 };
  if (effort === 'fast') return { step: length > MIB ? 8 : 4, nice: 24 };
  return { step: 4, nice: 64 };
}
