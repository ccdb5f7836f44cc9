import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { Client } from './clients.ts';
import type { TestImage } from './images.ts';
import { imageOf, layerOf } from './images.ts';

const DEVICES = [
  ['2025-10', 'dash', 'classic'],
  ['2026-08', 'busybox ash', 'containerd'],
  ['2026-09', 'dash', 'classic'],
] as const;

describe.each(DEVICES)('with the update module of %s, in %s with the %s store', (...device) => {
  /** A device that runs web:1.0. */
  async function prepared(name = 'web:1.0') {
    const client = new Client(...device);
    const folder = temporaryFolder();
    const imageWith = async (name: string, text: string): Promise<TestImage> =>
      imageOf(name, [await layerOf(folder, { text })]);
    const one = [await imageWith(name, 'one')];
    expect(await client.install(one)).toBe(true);
    client.commit();
    return { client, device: client.device, imageWith, one };
  }

  test('a client that was killed before the first step leaves the application where it is', async () => {
    const { client, device, one } = await prepared();
    expect(device.moved()).toEqual(['current']);
    client.rollBack();
    expect(client.running()).toEqual(client.named(one));
    expect(device.images()).toEqual(client.named(one));
    expect(device.moved()).toEqual(['current']);
  });

  test('a client that was killed twice in a rollback leaves the application where it is', async () => {
    const { client, device, imageWith, one } = await prepared();
    await client.receive([await imageWith('web:1.1', 'two')], one);
    device.run('ArtifactInstall_Enter');
    device.run('ArtifactRollback_Enter');
    expect(client.call('ArtifactRollback')).toBe(true);
    client.rollBack();
    expect(client.running()).toEqual(client.named(one));
    expect(device.images()).toEqual(client.named(one));
  });

  test('a first application goes if its commit is rolled back', async () => {
    const client = new Client(...device);
    const image = imageOf('web:1.0', [await layerOf(temporaryFolder(), { text: 'one' })]);
    expect(await client.install([image])).toBe(true);
    expect(client.call('ArtifactCommit')).toBe(true);
    client.rollBack();
    expect(client.running()).toEqual({});
    expect(client.device.images()).toEqual({});
  });

  test('an image that only gets a new tag loses the old one at the commit', async () => {
    const { client, device, imageWith, one } = await prepared();
    const two = [{ ...one[0]!, name: 'web:1.1' }];
    const three = [await imageWith('web:1.2', 'three')];
    expect(await client.install(two, one)).toBe(true);
    client.commit();
    expect(device.images()).toEqual(client.named(two));
    expect(await client.install(three, two)).toBe(true);
    client.commit();
    expect(client.running()).toEqual(client.named(three));
    expect(device.images()).toEqual(client.named(three));
  });

  test('an image that only gets a new tag loses that again at a rollback', async () => {
    const { client, device, one } = await prepared();
    expect(await client.install([{ ...one[0]!, name: 'web:1.1' }], one)).toBe(true);
    client.rollBack();
    expect(client.running()).toEqual(client.named(one));
    expect(device.images()).toEqual(client.named(one));
  });

  test('an image with two names of the application goes with both', async () => {
    const { client, device, imageWith, one } = await prepared();
    const both = async (tag: string, text: string) => {
      const image = await imageWith(`web:${tag}`, text);
      return [image, { ...image, name: `worker:${tag}` }];
    };
    const [two, three] = [await both('1.1', 'two'), await both('1.2', 'three')];
    expect(await client.install(two)).toBe(true);
    client.rollBack();
    expect(device.images()).toEqual(client.named(one));
    for (const images of [two, three]) {
      expect(await client.install(images)).toBe(true);
      client.commit();
      expect(device.images()).toEqual(client.named(images));
    }
  });

  test.each(['is rolled back', 'is refused'])(
    'a name goes back to the last release, not to one before it, if an update %s',
    async (end) => {
      const { client, device, imageWith, one } = await prepared('web:latest');
      const two = [await imageWith('web:latest', 'two')];
      expect(await client.install(two, one)).toBe(true);
      expect(client.call('ArtifactCommit')).toBe(true);
      rmSync(join(device.store, 'cleanup'), { recursive: true });
      if (end === 'is refused') device.set('full');
      const three = [await imageWith('web:latest', 'three')];
      expect(await client.install(three, two)).toBe(end !== 'is refused');
      client.rollBack();
      expect(client.running()).toEqual(client.named(two));
      expect(device.images()).toEqual(client.named(two));
    },
  );
});
