import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compiledIn } from '../../test/faults/compile.ts';
import { damageCache } from '../../test/faults/damagedCache.ts';
import { undisturbed } from '../../test/faults/disturbed.ts';
import { fillDisk, limitFiles } from '../../test/faults/fullDisk.ts';
import { crowdBuilds, killBuilds } from '../../test/faults/killed.ts';
import type { SharedPlace } from '../../test/faults/sharedWriters.ts';
import { killSharedWriters } from '../../test/faults/sharedWriters.ts';
import type { Tally } from '../../test/faults/tally.ts';
import { randomNumbers, tallyText } from '../../test/faults/tally.ts';
import { startRegistry } from '../../test/helpers/registry.ts';
import { saveFigures } from '../benchmarks/report.ts';

const LINES = 20_000;
const [rounds = 100, seed = 1] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-faults-'));
const isRoot = process.getuid?.() === 0;
const registry = await startRegistry();
const inRegistry = (round: number): SharedPlace => {
  const place = `type=registry,ref=${registry.host}/caches/round-${round}`;
  return { to: place, from: place };
};
const inFolder = (round: number): SharedPlace => {
  const place = join(folder, `shared-${round}`);
  // A reader warns of a folder that does not exist, as after writers that were killed at once.
  mkdirSync(place);
  return { to: `type=local,dest=${place}`, from: `type=local,src=${place}` };
};
try {
  const tool = compiledIn(join(folder, 'tool'));
  const build = await undisturbed(folder, tool, LINES);
  const random = randomNumbers(seed);
  console.log(`an undisturbed build takes ${Math.round(build.duration)} ms`);
  const sharedWriters = async (where: string, place: (round: number) => SharedPlace): Promise<Tally> => {
    const tally = await killSharedWriters(build, rounds, random, place);
    return { ...tally, name: `${tally.name}, ${where}` };
  };
  const faults: (() => Promise<Tally>)[] = [
    () => killBuilds(build, rounds, random),
    () => crowdBuilds(build, Math.ceil(rounds / 4)),
    () => sharedWriters('in a registry', inRegistry),
    () => sharedWriters('in a folder', inFolder),
    () => limitFiles(build, tool, rounds, random),
    () => damageCache(build, rounds * 5, random, (place) => build.inProcess(place)),
    ...(isRoot ? [() => fillDisk(build, rounds, random)] : []),
  ];
  const tallies: Tally[] = [];
  for (const fault of faults) {
    const tally = await fault();
    tallies.push(tally);
    console.log(tallyText(tally));
  }
  if (!isRoot) console.log('full disk: not tried, it needs root');
  saveFigures('faults', { rounds, seed, tallies });
  process.exitCode = tallies.every(({ lost }) => lost.length === 0) ? 0 : 1;
} finally {
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
}
