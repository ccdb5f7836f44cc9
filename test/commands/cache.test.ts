import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cacheLayout } from '../../src/cache/layout.ts';
import { LastArtifacts } from '../../src/cache/metadata.ts';
import { digestOf, hexOf } from '../../src/oci/digest.ts';
import { runCli } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

/** A cache with one layer of ten bytes, and a remembered artifact with this layer. */
async function cacheWithLayer(usedSecondsAgo: number): Promise<string> {
  const folder = temporaryFolder();
  const content = Buffer.alloc(10, 'x');
  const digest = digestOf(content);
  mkdirSync(join(folder, 'v1/layers'), { recursive: true });
  const layer = join(folder, 'v1/layers', hexOf(digest));
  writeFileSync(layer, content);
  const used = Date.now() / 1000 - usedSecondsAgo;
  utimesSync(layer, used, used);
  const image = {
    ref: 'registry.example.com/shop/web:1.0',
    hash: digestOf('config'),
    layers: [{ diffID: digest }],
  };
  const last = { version: '1.0', artifactName: 'shop-1.0', services: { web: { image } } };
  await new LastArtifacts(cacheLayout(folder, folder), []).remember('shop', last);
  return folder;
}

const cache = (action: string, folder: string, ...more: string[]) =>
  runCli(['cache', action, '--cache-dir', folder, ...more]);

describe('cache', () => {
  it('list names images, sums up each kind, and tells the next base', async () => {
    const folder = await cacheWithLayer(10);
    const { stdout } = await cache('list', folder);
    expect(stdout).toContain('registry.example.com/shop/web:1.0');
    expect(stdout).toContain('layers: 1 entry, 10 B\n');
    expect(stdout).toContain(`${folder}: 1 entry, 10 B held\n`);
    expect(stdout).toContain('next base of shop: 1.0 (shop-1.0)\n');
  });

  it('list --json has whole numbers only, and the remembered artifacts', async () => {
    const { stdout } = await cache('list', await cacheWithLayer(10.0005), '--json');
    const { entries, remembered } = JSON.parse(stdout) as {
      entries: { used: number }[];
      remembered: Record<string, { version: string }>;
    };
    expect(entries.every(({ used }) => Number.isInteger(used))).toBe(true);
    expect(remembered['shop']!.version).toBe('1.0');
  });

  it('prune tells why it keeps what was used within the last hour', async () => {
    const { stdout } = await cache('prune', await cacheWithLayer(60), '--limit-size', '1');
    expect(stdout).toMatch(/0 entries, 0 B removed\nkept: 1 entry, 10 B, because .* within the last hour\n$/);
  });

  it('prune removes what is older', async () => {
    const { stdout } = await cache('prune', await cacheWithLayer(7200), '--limit-size', '1');
    expect(stdout).toMatch(/1 entry, 10 B removed\n$/);
  });

  it('verify says how many entries it read', async () => {
    const folder = await cacheWithLayer(10);
    const first = await cache('verify', folder);
    expect(first.stdout).toMatch(/: 1 entry read, (none is damaged|1 entry, 10 B damaged and removed)\n$/);
    const again = await cache('verify', folder);
    expect(again.stdout).toMatch(/: \d entr(y|ies) read, none is damaged\n$/);
  });

  it.each(['list', 'prune', 'verify', 'clear'])(
    '%s of a folder that does not exist says so',
    async (action) => {
      const folder = join(temporaryFolder(), 'none');
      const { code, stdout } = await cache(action, folder);
      expect({ code, stdout }).toEqual({ code: 0, stdout: `${folder}: there is no cache yet\n` });
      expect(existsSync(folder)).toBe(false);
    },
  );
});
