import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Place, Undisturbed } from './disturbed.ts';
import { artifactFault, placeIn } from './disturbed.ts';
import type { Tally } from './tally.ts';
import { count, newTally } from './tally.ts';

/** A shared cache as the options name it. */
export interface SharedPlace {
  /** Of `--cache-to`. */
  to: string;
  /** Of `--cache-from`. */
  from: string;
}

/**
 * Four builds with caches of their own fill one shared cache at once, and `kill -9` ends some of
 * them. Whatever is there then, a build that reads it has the bytes of an undisturbed one and no
 * warning. After one more writer, a build takes its deltas from there.
 */
export async function killSharedWriters(
  build: Undisturbed,
  rounds: number,
  random: () => number,
  placeOf: (round: number) => SharedPlace,
): Promise<Tally> {
  const tally = newTally('four writers of one shared cache, some killed');
  const key = join(build.folder, 'key.pem');
  execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', key]);
  const run = async (name: string, flags: string[], killAfter?: number): Promise<Ended> => {
    const place = placeIn(join(build.folder, 'shared', name));
    const { code, stderr } = await build.run(place, { flags: [...flags, '--cache-key', key], killAfter });
    return { isKilled: code === undefined, fault: faultOf(build, place, code, stderr), place };
  };
  for (let round = 0; round < rounds; round++) {
    const { to, from } = placeOf(round);
    const writers = [1, 2, 3, 4].map((number) => {
      const killAfter = random() < 0.75 ? random() * 3 * build.duration : undefined;
      return run(`writer-${number}`, ['--cache-to', to], killAfter);
    });
    const ended = await Promise.all(writers);
    for (const [name, flags] of [
      ['reader', ['--cache-from', from]],
      ['writer', ['--cache-to', to]],
      ['user', ['--cache-from', from]],
    ] as const)
      ended.push(await run(name, [...flags]));
    const fault = ended.find((one) => one.fault !== undefined)?.fault ?? faultOfUser(ended.at(-1)!);
    const killed = ended.filter(({ isKilled }) => isKilled).length;
    count(tally, `${killed} killed`, fault && `round ${round}: ${fault}`);
  }
  return tally;
}

interface Ended {
  isKilled: boolean;
  fault: string | undefined;
  place: Place;
}

/**
 * What is wrong with a run; undefined if nothing is, or if it was killed and its artifact is
 * missing.
 */
function faultOf(
  build: Undisturbed,
  place: Place,
  code: number | undefined,
  stderr: string,
): string | undefined {
  if (code === undefined) return artifactFault(build, place, true);
  if (code !== 0 || stderr.includes('warning')) return stderr.trim();
  return artifactFault(build, place);
}

/** A build that takes a delta from others reads no layer. */
function faultOfUser({ place }: Ended): string | undefined {
  if (!existsSync(join(place.cache, 'v1'))) return `${place.cache} has no cache of version 1`;
  const layers = join(place.cache, 'v1/layers');
  const read = existsSync(layers) ? readdirSync(layers) : [];
  return read.length > 0 ? `it has read the layers ${read.join(', ')}` : undefined;
}
