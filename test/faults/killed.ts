import { join } from 'node:path';
import type { Undisturbed } from './disturbed.ts';
import { artifactFault, placeIn } from './disturbed.ts';
import type { Tally } from './tally.ts';
import { count, newTally } from './tally.ts';

/**
 * `kill -9` at random moments of a build; the next run must succeed, with the bytes of an
 * undisturbed one.
 */
export async function killBuilds(build: Undisturbed, rounds: number, random: () => number): Promise<Tally> {
  const tally = newTally('kill -9 at a random moment');
  for (let round = 0; round < rounds; round++) {
    const place = placeIn(join(build.folder, 'killed'));
    const killAfter = random() * build.duration;
    const first = await build.run(place, { killAfter });
    const partial = artifactFault(build, place, true);
    const second = await build.run(place);
    const fault =
      (partial && `after the kill ${partial}`) ??
      (second.code === 0 ? artifactFault(build, place) : second.stderr.trim());
    const outcome = first.code === undefined ? 'killed' : 'finished before';
    count(tally, outcome, fault && `killed after ${Math.round(killAfter)} ms: ${fault}`);
  }
  return tally;
}

/** Four builds at once on one cache; all must succeed, with the bytes of a lonely one. */
export async function crowdBuilds(build: Undisturbed, rounds: number): Promise<Tally> {
  const tally = newTally('four builds at once on one cache');
  for (let round = 0; round < rounds; round++) {
    const { cache } = placeIn(join(build.folder, 'crowded'));
    const places = [1, 2, 3, 4].map((number) => ({
      cache,
      output: join(build.folder, `crowded/out-${number}/new.mender`),
    }));
    const runs = await Promise.all(places.map((place) => build.run(place)));
    runs.forEach(({ code, stderr }, number) => {
      const fault = code === 0 ? artifactFault(build, places[number]!) : stderr.trim();
      count(tally, `exit ${code ?? 'by signal'}`, fault);
    });
  }
  return tally;
}
