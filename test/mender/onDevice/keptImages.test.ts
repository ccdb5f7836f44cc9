import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DEVICES, Device } from './scriptDevice.ts';

describe.each(DEVICES)('old images whose names have moved, in %s with the %s store', (shell, kind) => {
  const [OLD, SIDE, NEW] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string];
  const keptAs = (hex: string): string => `mender-docker-delta/previous-${hex.slice(0, 12)}:kept`;
  const MOVED = { 'app:1': OLD, 'app-1': OLD, 'side.car:1': SIDE };
  const named = (images: Record<string, string>) =>
    Object.fromEntries(Object.entries(images).map(([name, hex]) => [name, `sha256:${hex}`]));
  const lines = (list: string[]): string => list.map((line) => `${line}\n`).join('');

  /** A device with a new image, which has taken three names from two old ones. */
  function withMovedNames(): Device {
    const device = new Device(shell, kind);
    const names = Object.keys(MOVED);
    const images = { [keptAs(OLD)]: OLD, [keptAs(SIDE)]: SIDE };
    const all = { ...images, ...Object.fromEntries(names.map((name) => [name, NEW])) };
    writeFileSync(
      join(device.docker, 'images'),
      lines(Object.entries(named(all)).map((one) => one.join(' '))),
    );
    mkdirSync(join(device.store, 'mender-docker-delta'));
    mkdirSync(join(device.store, 'previous'));
    const note = (file: string, list: string[]) =>
      writeFileSync(join(device.store, 'mender-docker-delta', file), lines(list));
    note(
      'kept',
      Object.entries(MOVED).map(([name, hex]) => `${keptAs(hex)} ${name}`),
    );
    for (const file of ['loaded', 'new'])
      note(
        file,
        names.map((name) => `${name} ${NEW} ${NEW}`),
      );
    return device;
  }

  test.each(['image tag', 'image rm', ''])(
    'a rollback loses no image and no name when Docker stops at a call of %j',
    (call) => {
      for (let calls = 0, isBroken = true; isBroken; calls += 1) {
        const device = withMovedNames();
        device.breakAfter(call, calls);
        device.run('ArtifactRollback_Enter');
        isBroken = device.mend();
        device.run('ArtifactRollback_Leave');
        expect(device.images(), `after ${calls} calls`).toEqual(named(MOVED));
        expect(device.moved(), `after ${calls} calls`).toEqual(['current', 'previous']);
        expect(isBroken || calls > 2).toBe(true);
      }
    },
    120_000,
  );

  test('a new image keeps a name that its old image has not got back', () => {
    const device = withMovedNames();
    device.breakAfter('image tag', 1);
    device.run('ArtifactRollback_Leave');
    expect(device.images()).toMatchObject({ 'app-1': `sha256:${NEW}`, [keptAs(OLD)]: `sha256:${OLD}` });
    device.mend();
    device.run('ArtifactRollback_Leave');
    expect(device.images()).toEqual(named(MOVED));
  });

  test('a commit forgets the old names at any call of Docker that fails, and a later one deletes them', () => {
    let moments = 0;
    for (let calls = 0, isBroken = true; isBroken; calls += 1) {
      const device = withMovedNames();
      device.breakAfter('', calls);
      device.run('ArtifactCommit_Leave');
      isBroken = device.mend();
      moments += Number(isBroken);
      device.run('ArtifactRollback_Enter');
      expect(device.images(), `after ${calls} calls`).toMatchObject(named({ 'app:1': NEW, 'app-1': NEW }));
      device.run('ArtifactCommit_Leave');
      const names = Object.fromEntries(Object.keys(MOVED).map((name) => [name, NEW]));
      expect(device.images(), `after ${calls} calls`).toEqual(named(names));
      expect(device.moved(), `after ${calls} calls`).toEqual(['current', 'previous']);
    }
    expect(moments).toBeGreaterThan(2);
  });
});
