import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLog, silentLog } from '../../../src/io/log.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import type { ImageSource } from '../../../src/oci/image.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import type { Lock } from '../../../src/pipeline/base/lockFile.ts';
import {
  LOCK_FILE,
  lockDifferences,
  lockOf,
  lockedMetadata,
  readLock,
  requireLocked,
  unlockedServices,
  writeLock,
} from '../../../src/pipeline/base/lockFile.ts';
import type { LocatedImage } from '../../../src/pipeline/images/locate.ts';
import type { NewImage } from '../../../src/pipeline/images/services.ts';
import { groupImages } from '../../../src/pipeline/images/services.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const digest = (character: string): Digest => `sha256:${character.repeat(64)}`;
const platform = { os: 'linux', architecture: 'arm64' };

function imageOf(name: string, content: string, services: string[]): NewImage {
  const image = {
    ...{ reference: parseReference(name), platform, source: 'registry' },
    ...{ configDigest: digest(content), manifestDigest: digest('f'), layers: [{ diffID: digest('1') }] },
  };
  const resolved = new Map(services.map((service) => [service, image]));
  return { id: content, name: parseReference(name), services, image, resolved } as unknown as NewImage;
}

const neverAsked: ImageSource = {
  name: 'registry',
  resolve: () => Promise.reject(new Error('asked')),
  fetch: () => Promise.reject(new Error('asked')),
};

/** Two services whose references mean one image. */
function twoNames(): NewImage[] {
  const located = (name: string): LocatedImage => ({ ...imageOf(name, 'a', []), source: neverAsked });
  return groupImages([
    { service: 'web', ...located('shop/web:1') },
    { service: 'worker', ...located('shop/worker:1') },
  ]);
}

describe('the lock file', () => {
  it('is written, and read back, with a part for each platform', async () => {
    const folder = temporaryFolder();
    expect(await readLock(folder)).toBeUndefined();
    const amd64 = { os: 'linux', architecture: 'amd64' };
    await writeLock(folder, platform, [imageOf('shop/web:1', 'a', ['worker', 'web'])], silentLog);
    await writeLock(folder, amd64, [imageOf('shop/web:1', 'b', ['web'])], silentLog);
    const lock = await readLock(folder);
    expect(Object.keys(lock ?? {})).toEqual(['linux/amd64', 'linux/arm64']);
    expect(Object.keys(lock?.['linux/arm64'] ?? {})).toEqual(['web', 'worker']);
    expect(readFileSync(join(folder, LOCK_FILE), 'utf8')).toMatch(/^\{\n {2}"linux\/amd64"[^]*\}\n$/);
  });

  it.each([
    '',
    '{',
    '[]',
    '{"linux/arm64": []}',
    '{"linux/arm64": {"web": {"image": "a"}}}',
    '<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n',
  ])('is refused when it holds %j, and replaced with a warning', async (text) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, LOCK_FILE), text);
    await expect(readLock(folder)).rejects.toMatchObject({ name: 'UsageError' });
    const lines: string[] = [];
    const log = createLog('warning', (line) => void lines.push(line));
    await writeLock(folder, platform, [imageOf('shop/web:1', 'a', ['web'])], log);
    expect(Object.keys((await readLock(folder)) ?? {})).toEqual(['linux/arm64']);
    expect(lines).toEqual([expect.stringContaining('was damaged and is written again') as string]);
  });

  it.each<[string, NewImage[], string[]]>([
    ['the same images', [imageOf('shop/web:1', 'a', ['web'])], []],
    ['another tag', [imageOf('shop/web:2', 'a', ['web'])], ['web runs docker.io/shop/web:2, locked is']],
    ['a moved tag', [imageOf('shop/web:1', 'b', ['web'])], ['shop/web:1 is sha256:bbbb']],
    [
      'another service',
      [imageOf('shop/web:1', 'a', ['api'])],
      ['service api is not in it', 'there is no service web'],
    ],
    ['no images', [], ['there is no service web']],
  ])('with %s', (_, images, expected) => {
    const locked = lockOf([imageOf('shop/web:1', 'a', ['web'])]);
    const found = lockDifferences(locked, lockOf(images));
    expect(found).toHaveLength(expected.length);
    for (const [index, part] of expected.entries())
      expect(found[index]).toContain(part.replace('docker.io/', ''));
    const lock: Lock = { 'linux/arm64': locked };
    const check = () => requireLocked(lock, images, platform, '/shop');
    if (expected.length === 0) expect(check).not.toThrow();
    else expect(check).toThrow(`/shop/${LOCK_FILE} does not fit`);
  });

  it('must have something for the platform', () => {
    expect(() => requireLocked(undefined, [], platform, '/shop')).toThrow('has nothing for linux/arm64');
    expect(() => requireLocked({ 'linux/amd64': {} }, [], platform, '/shop')).toThrow('linux/arm64');
  });

  it.each<[string, string, string, string[]]>([
    ['the locked references', 'shop/web:1', 'shop/worker:1', []],
    ['another tag', 'shop/web:1', 'shop/worker:2', ['worker runs shop/worker:2, locked is shop/worker:1']],
    ['one name for both', 'shop/web:1', 'shop/web:1', ['worker runs shop/web:1, locked is shop/worker:1']],
  ])('of two names for one image fits a commit with %s', (_, web, worker, misfits) => {
    const images = twoNames();
    expect(images).toHaveLength(1);
    const locked = lockOf(images);
    const services = [{ name: 'web', image: web }, { name: 'worker', image: worker }, { name: 'built' }];
    expect(unlockedServices(locked, services)).toEqual(misfits);
    const { services: held } = lockedMetadata(locked, services, platform, { version: '1' });
    expect(Object.values(held).map(({ image }) => image.hash)).toEqual([digest('a'), digest('a')]);
  });

  it('lacks a service that came later', () => {
    const services = [{ name: 'new', image: 'shop/new:1' }];
    expect(unlockedServices(lockOf(twoNames()), services)).toEqual(['service new is not in it']);
  });

  it('of two names for one image names only the one that changed', () => {
    const moved = [imageOf('shop/web:1', 'a', ['web']), imageOf('shop/worker:1', 'b', ['worker'])];
    const found = lockDifferences(lockOf(twoNames()), lockOf(moved));
    expect(found).toEqual([expect.stringContaining('shop/worker:1 is sha256:bbbb')]);
  });
});
