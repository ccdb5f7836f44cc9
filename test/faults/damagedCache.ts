import {
  chmodSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Undisturbed } from './disturbed.ts';
import { artifactFault, placeIn } from './disturbed.ts';
import type { Tally } from './tally.ts';
import { count, newTally } from './tally.ts';
import type { ToolRun } from './tool.ts';

const DAMAGES: Record<string, (path: string, random: () => number) => void> = {
  flipped(path, random) {
    const bytes = readFileSync(path);
    if (bytes.length > 0) bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
    chmodSync(path, 0o644);
    writeFileSync(path, bytes);
  },
  truncated(path, random) {
    chmodSync(path, 0o644);
    truncateSync(path, Math.floor(random() * statSync(path).size));
  },
  lengthened(path) {
    chmodSync(path, 0o644);
    writeFileSync(path, Buffer.alloc(512), { flag: 'a' });
  },
  removed: (path) => rmSync(path),
  emptied(path) {
    chmodSync(path, 0o644);
    truncateSync(path, 0);
  },
};

/**
 * Damages random files of a warm cache; the next build must give the bytes of an undisturbed one.
 * `run` builds with a cache that `build` warmed up.
 */
export async function damageCache(
  build: Undisturbed,
  rounds: number,
  random: () => number,
  run: (place: {
    cache: string;
    output: string;
  }) => Promise<Pick<ToolRun, 'stderr'> & { code: number | undefined }>,
): Promise<Tally> {
  const tally = newTally('random damage to a cache');
  const place = placeIn(join(build.folder, 'damaged'));
  await run(place);
  for (let round = 0; round < rounds; round++) {
    const names = Object.keys(DAMAGES);
    const kind = names[Math.floor(random() * names.length)]!;
    const victims = [1, 2, 3]
      .slice(0, 1 + Math.floor(random() * 3))
      .map(() => damageOne(place.cache, kind, random));
    rmSync(place.output, { force: true });
    const { code, stderr } = await run(place);
    const fault = code === 0 ? artifactFault(build, place) : stderr.trim();
    count(tally, kind, fault && `${kind} ${victims.join(', ')}: ${fault}`);
  }
  return tally;
}

function damageOne(cache: string, kind: string, random: () => number): string {
  const files = readdirSync(cache, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  const victim = files[Math.floor(random() * files.length)];
  if (victim === undefined) return 'nothing';
  const path = join(victim.parentPath, victim.name);
  if (existsSync(path)) DAMAGES[kind]?.(path, random);
  return path.slice(cache.length + 1);
}
