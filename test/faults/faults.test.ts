import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../helpers/temporary.ts';
import { startRegistry } from '../helpers/registry.ts';
import { compiledIn } from './compile.ts';
import { damageCache } from './damagedCache.ts';
import type { Undisturbed } from './disturbed.ts';
import { undisturbed } from './disturbed.ts';
import { limitFiles } from './fullDisk.ts';
import { crowdBuilds, killBuilds } from './killed.ts';
import { killSharedWriters } from './sharedWriters.ts';
import { randomNumbers } from './tally.ts';
import type { Tool } from './tool.ts';

/** A few rounds of each; `scripts/faults` does hundreds. */
let build: Undisturbed;
let tool: Tool;
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-faults-'));
  tool = compiledIn(join(folder, 'tool'));
  build = await undisturbed(folder, tool);
});
afterAll(() => rmSync(build.folder, { recursive: true, force: true }));

describe('a build survives', { timeout: 180_000 }, () => {
  it('kill -9 at random moments', async () => {
    expect((await killBuilds(build, 6, randomNumbers(1))).lost).toEqual([]);
  });

  it('three others on the same cache', async () => {
    expect((await crowdBuilds(build, 1)).lost).toEqual([]);
  });

  it('three others that fill the same shared cache, some of them killed', async () => {
    const registry = await startRegistry();
    onTestFinished(() => registry.stop());
    const tally = await killSharedWriters(build, 1, randomNumbers(4), () => {
      const place = `type=registry,ref=${registry.host}/caches/shop`;
      return { to: place, from: place };
    });
    expect(tally.lost).toEqual([]);
  });

  it('files that can not grow', async () => {
    const folder = temporaryFolder();
    // Layers that another program reads while they are written.
    const large = await undisturbed(folder, tool, 20_000);
    expect((await limitFiles(large, tool, 3, randomNumbers(2))).lost).toEqual([]);
  });

  it('random damage to its cache', async () => {
    const tally = await damageCache(build, 40, randomNumbers(3), (place) => build.inProcess(place));
    expect(tally.lost).toEqual([]);
  });
});
