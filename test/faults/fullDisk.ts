import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Place, Undisturbed } from './disturbed.ts';
import { artifactFault, leftovers, placeIn } from './disturbed.ts';
import type { Tally } from './tally.ts';
import { count, newTally } from './tally.ts';
import type { Tool, ToolRun } from './tool.ts';

const MIB = 1 << 20;

/**
 * Builds on a disk that is full after a random number of bytes, then with room enough: the first
 * must say so and leave nothing under a final name that is not whole, the second succeed. Needs
 * root, for a file system of its own.
 */
export async function fillDisk(build: Undisturbed, rounds: number, random: () => number): Promise<Tally> {
  const tally = newTally('full disk at a random moment');
  const disk = join(build.folder, 'disk');
  mkdirSync(disk, { recursive: true });
  for (let round = 0; round < rounds; round++) {
    const size = Math.round((0.05 + random()) * 6 * MIB);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', disk]);
    try {
      const place = { cache: join(disk, 'cache'), output: join(disk, 'out/new.mender') };
      const first = await build.run(place);
      const early = faultOfFirst(build, place, first);
      execFileSync('mount', ['-o', `remount,size=${256 * MIB}`, disk]);
      countRound(tally, first, early ?? faultOfSecond(build, place, await build.run(place)), `${size} bytes`);
    } finally {
      execFileSync('umount', [disk]);
    }
  }
  return tally;
}

/** The same without root: files can't grow beyond a random size. */
export async function limitFiles(
  build: Undisturbed,
  tool: Tool,
  rounds: number,
  random: () => number,
): Promise<Tally> {
  const tally = newTally('files that can not grow beyond a random size');
  for (let round = 0; round < rounds; round++) {
    const place = placeIn(join(build.folder, 'limited'));
    const blocks = Math.round(random() * 1400);
    const limited: Tool = ['bash', '-c', `ulimit -f ${blocks}; exec "$0" "$@"`, ...tool];
    const first = await build.run(place, { tool: limited });
    const early = faultOfFirst(build, place, first);
    countRound(tally, first, early ?? faultOfSecond(build, place, await build.run(place)), `${blocks} KiB`);
  }
  return tally;
}

function faultOfFirst(build: Undisturbed, place: Place, { code, stderr }: ToolRun): string | undefined {
  const left = leftovers(place.cache);
  if (code === 0) return artifactFault(build, place);
  if (code !== 2 || !/full|too large/.test(stderr)) return `exit ${code ?? 'by signal'}: ${stderr.trim()}`;
  return left.length > 0 ? `left ${left.join(', ')}` : artifactFault(build, place, true);
}

function faultOfSecond(build: Undisturbed, place: Place, { code, stderr }: ToolRun): string | undefined {
  return code === 0 ? artifactFault(build, place) : `with room again: ${stderr.trim()}`;
}

function countRound(tally: Tally, first: ToolRun, fault: string | undefined, limit: string): void {
  count(tally, first.code === 0 ? 'had room' : 'was full', fault && `${limit}: ${fault}`);
}
