import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { TarFile } from '../../../src/tar/tar.ts';
import { tarFile, tarSize, tarStream } from '../../../src/tar/tar.ts';
import { imageEntries } from '../../../src/mender/write/imageFiles.ts';
import { deltaPayload } from '../../../src/mender/onDevice/payload.ts';
import { stateScripts } from '../../../src/mender/onDevice/stateScript.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { digestOf, hexOf } from '../../../src/oci/digest.ts';
import { blobPath } from '../../../src/oci/portable.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { requireTool } from '../../helpers/tools.ts';
import { edited, imageOf, layerOf, noise, payloadOf } from './images.ts';
import { BLOBS, DEVICES, DOCKER, Device, SMALL, blobsOf, held, versions, which } from './scriptDevice.ts';

describe.each(DEVICES)('the state script in %s, %s store', (shell, kind) => {
  async function prepared() {
    const device = new Device(shell, kind);
    const folder = temporaryFolder();
    const { v1, v2 } = await versions(folder);
    await device.hold(v1);
    const image = payloadOf('app', v2, v1, folder);
    await device.receive([image]);
    return { device, folder, v1, v2, image };
  }

  test('loads changed and added layers, and leaves the module an image without layers', async () => {
    const { device, v1, v2 } = await prepared();
    expect(device.run()).toContain('app:2 is loaded');
    expect(held(device.loads()['app:2'], blobsOf(v2))).toEqual(blobsOf(v2, 1));
    expect(device.loadable('0')).toEqual(SMALL);
    expect(device.images()).toEqual({ 'app:1': device.idOf(v1), 'app:2': device.idOf(v2) });
    expect(device.moved()).toEqual(['mender-docker-delta', 'previous']);
  });

  test('reads base layers in place where the store has them', async () => {
    const { device } = await prepared();
    device.run();
    expect(device.saves()).toEqual(kind === 'classic' ? ['app:1'] : []);
  });

  test('does nothing to a payload that it has emptied', async () => {
    const { device } = await prepared();
    device.run();
    const before = readdirSync(device.docker);
    expect(device.run()).toContain('app:2 is on this device already');
    expect(device.loadable('0').toSorted()).toEqual(expect.arrayContaining(['index.json', 'oci-layout']));
    expect(readdirSync(device.docker)).toEqual(before);
  });

  test('loads nothing of an image that is on the device already (reinstall)', async () => {
    const { device, v2 } = await prepared();
    await device.hold(v2);
    expect(device.run()).toContain('app:2 is on this device already');
    expect(device.loads()).toEqual({});
    expect(device.loadable('0')).toEqual(SMALL);
  });

  test('decodes a layer once that several images share', async () => {
    const { device, folder, v1, v2 } = await prepared();
    const other = imageOf('other:2', v2.layers);
    await device.receive([payloadOf('a', v2, v1, folder), payloadOf('b', other, v1, folder)]);
    expect(device.run()).toContain('other:2 is loaded');
    expect(held(device.loads()['app:2'], blobsOf(v2))).toEqual(blobsOf(v2, 1));
    expect(held(device.loads()['other:2'], blobsOf(v2))).toEqual([]);
  });

  test('takes several images, a new one and one that repeats a layer', async () => {
    const { device, folder, v1, v2 } = await prepared();
    const layer = v2.layers[1]!;
    const fresh = imageOf('localhost:5000/fresh:1', [layer, v2.layers[3]!, layer]);
    const repeating = imageOf('app:3', [...v1.layers, v1.layers[0]!, v1.layers[2]!]);
    await device.receive([payloadOf('a', fresh, undefined, folder), payloadOf('b', repeating, v1, folder)]);
    expect(device.run()).toContain('app:3 is loaded');
    expect(held(device.loads()['localhost:5000/fresh:1'], blobsOf(fresh))).toEqual(blobsOf(fresh));
    const again = kind === 'classic' ? [blobsOf(v1)[0], blobsOf(v1)[2]] : [];
    expect(held(device.loads()['app:3'], blobsOf(v1))).toEqual(again);
  });

  test('finds the layers of an image that was pulled, whose blobs are compressed', async () => {
    const { device, v1, v2 } = await prepared();
    if (kind === 'classic') return;
    const folder = join(device.docker, BLOBS);
    const layers = v1.layers.map(({ diffID }) => {
      const content = gzipSync(readFileSync(join(folder, hexOf(diffID))));
      rmSync(join(folder, hexOf(diffID)));
      writeFileSync(join(folder, hexOf(digestOf(content))), content);
      return { digest: digestOf(content) };
    });
    const manifest = JSON.stringify({ config: { digest: digestOf(v1.config) }, layers });
    writeFileSync(join(folder, device.idOf(v1).slice(7)), manifest);
    device.run();
    expect(held(device.loads()['app:2'], blobsOf(v2))).toEqual(blobsOf(v2));
    expect(device.saves()).toEqual([]);
  });

  test('saves the image where it does not find the store', async () => {
    const { device, v2 } = await prepared();
    execFileSync('rm', ['-r', join(device.folder, 'etc/containerd'), join(device.docker, 'root')]);
    device.run();
    expect(device.saves()).toEqual(['app:1']);
    expect(held(device.loads()['app:2'], blobsOf(v2, 1))).toEqual(blobsOf(v2, 1));
  });

  test('loads a full artifact image by image', async () => {
    const { device, folder, v2 } = await prepared();
    const other = imageOf('other:2', v2.layers.slice(0, 2));
    await device.receiveWhole([
      payloadOf('app', v2, undefined, folder),
      payloadOf('more', other, undefined, folder),
    ]);
    expect(device.run()).toMatch(/app:2 is loaded[^]*other:2 is loaded/);
    expect(device.images()['other:2']).toBe(device.idOf(other));
  });

  test('leaves the module one tar of all images, without layers', async () => {
    const { device, folder, v2 } = await prepared();
    const other = imageOf('other:2', v2.layers.slice(0, 2));
    const images = { app: v2, more: other };
    await device.receiveWhole(
      Object.entries(images).map(([id, image]) => payloadOf(id, image, undefined, folder)),
    );
    device.run();
    const tar = device.unpacked('0');
    const read = (path: string): unknown => JSON.parse(readFileSync(join(tar, path), 'utf8'));
    expect(read('manifest.json')).toMatchObject([{ RepoTags: ['app:2'] }, { RepoTags: ['other:2'] }]);
    const { manifests } = read('index.json') as {
      manifests: { digest: Digest; annotations: Record<string, string> }[];
    };
    expect(manifests.map(({ annotations }) => Object.values(annotations))).toEqual([
      ['docker.io/library/app:2', '2'],
      ['docker.io/library/other:2', '2'],
    ]);
    const configs = (read('manifest.json') as { Config: string }[]).map(({ Config }) => Config);
    const blobs = [...configs, ...manifests.map(({ digest }) => blobPath(digest))];
    expect(readdirSync(join(tar, 'blobs/sha256')).toSorted()).toEqual(
      blobs.map((path) => basename(path)).toSorted(),
    );
  });

  test.each(['full', 'down'])('leaves a full artifact as it is when Docker is %s', async (trouble) => {
    const { device, folder, v2 } = await prepared();
    if (trouble === 'down') device.write('bin/sleep', '#!/bin/sh\n');
    await device.receiveWhole([payloadOf('app', v2, undefined, folder)]);
    const before = readFileSync(device.payload);
    device.set(trouble);
    expect(device.run()).toContain('the update module loads the images itself');
    expect(readFileSync(device.payload).equals(before)).toBe(true);
  });

  test('honours the configuration of the module', async () => {
    const { device } = await prepared();
    mkdirSync(join(device.folder, 'etc/mender'), { recursive: true });
    mkdirSync(join(device.folder, 'elsewhere/current'), { recursive: true });
    device.write('bin/mydocker', `#!/bin/sh\nshift\nexec ${device.tools}/docker "$@"\n`);
    const config = `PERSISTENT_STORE=${device.folder}/elsewhere\nDOCKER_CMD="mydocker --quiet"\n`;
    device.write('etc/mender/mender-docker-compose.conf', config);
    expect(device.run()).toContain('app:2 is loaded');
    expect(device.moved()).toEqual(['current']);
    expect(readdirSync(join(device.folder, 'elsewhere'))).toEqual(['mender-docker-delta', 'previous']);
  });

  test('does not need a df that knows the folder', async () => {
    const { device } = await prepared();
    device.write('bin/df', '#!/bin/sh\nexit 1\n');
    expect(device.run()).toContain('app:2 is loaded');
  });

  test.each(['exit 3', 'if then (', 'false', 'x=$('])('outlives the configuration %j', async (config) => {
    const { device } = await prepared();
    mkdirSync(join(device.folder, 'etc/mender'), { recursive: true });
    device.write('etc/mender/mender-docker-compose.conf', `${config}\n`);
    device.run();
  });

  test('works with a dd that does not know full blocks', async () => {
    const { device } = await prepared();
    rmSync(join(device.tools, 'dd'));
    device.write('bin/dd', `#!/bin/sh\ncase "$*" in *fullblock*) exit 1 ;; esac\nexec ${which('dd')} "$@"\n`);
    expect(device.run()).toContain('app:2 is loaded');
  });

  describe('leaves a payload that the module refuses, and nothing else', () => {
    const cases: Record<
      string,
      [(device: Device, images: Awaited<ReturnType<typeof prepared>>) => unknown, RegExp]
    > = {
      'without xdelta3': [(device) => rmSync(join(device.tools, 'xdelta3')), /xdelta3 is not on this device/],
      'without dd': [(device) => rmSync(join(device.tools, 'dd')), /dd is not on this device/],
      'without a daemon': [
        (device) => {
          device.write('bin/docker', '#!/bin/sh\nexit 1\n');
          device.write('bin/sleep', '#!/bin/sh\n');
        },
        /daemon does not answer/,
      ],
      'with too little space': [
        (device) => device.write('bin/df', '#!/bin/sh\necho head\necho /dev/x 100 10 90 10% /\n'),
        /too little space at .*: \d{3} KiB needed, 90 free/,
      ],
      'when Docker has no space': [(device) => device.set('full'), /can't load app:2: .*no space left/],
      'when the old image is gone': [
        (device) => execFileSync('rm', ['-r', join(device.docker, 'images'), join(device.docker, BLOBS)]),
        /old image app:1 can't be saved|has no layer/,
      ],
      'on another base': [
        async (device, { folder, v1 }) => {
          for (const { diffID } of v1.layers)
            rmSync(join(device.docker, BLOBS, hexOf(diffID)), { force: true });
          await device.hold(imageOf('app:1', [await layerOf(folder, { other: noise(9, 5000) })]));
        },
        /has no layer [0-9a-f]{64}: it is not the one/,
      ],
      'when a whole layer is damaged': [
        async (device, { folder, v1, v2 }) => {
          const image = payloadOf('app', v2, v1, folder);
          const { diffID, path } = v2.layers[1]!;
          image.layers[1]!.content = { kind: 'full', path };
          const wrong = readFileSync(path).fill(7, 5000, 5001);
          const entries = deltaPayload([image]);
          await device.pack(
            entries.map((entry) => (entry.path.endsWith(hexOf(diffID)) ? { ...entry, body: wrong } : entry)),
          );
        },
        /can't load app:2: invalid diffID/,
      ],
      'when a delta is another one': [
        async (device, { image }) => {
          image.layers[1]!.content = { ...image.layers[2]!.content };
          await device.receive([image]);
        },
        /can't load app:2|xdelta3 can't decode layer/,
      ],
      'when a delta is flipped': [
        async (device, { image }) => {
          const content = image.layers[1]!.content;
          if (content.kind !== 'delta') throw new Error('no delta');
          const body = Buffer.from(content.body);
          body[body.length - 100]! ^= 0xff;
          image.layers[1]!.content = { ...content, body };
          await device.receive([image]);
        },
        /xdelta3 can't decode layer/,
      ],
      'when the payload is cut': [
        (device) => execFileSync('truncate', ['-s', '-3000', device.payload]),
        // The gzip of busybox may pass on nothing of so short a file.
        /can't load app:2|xdelta3 can't decode layer|can't be read/,
      ],
      'when the payload is missing': [(device) => rmSync(device.payload), /can't be read/],
      'when the payload is noise': [
        (device) => writeFileSync(device.payload, noise(1, 5000)),
        /can't be read/,
      ],
      'when the plan is of a later version': [
        async (device, { image }) => {
          const [plan, ...entries] = deltaPayload([image]);
          const body = Buffer.from((plan!.body as Buffer).toString().replace('delta 2', 'delta 3'));
          await device.pack([{ ...plan!, body }, ...entries]);
        },
        /of another version/,
      ],
    };

    test.each(Object.entries(cases))('%s', async (_name, [harm, reason]) => {
      const context = await prepared();
      await harm(context.device, context);
      const images = context.device.images();
      expect(context.device.run()).toContain('the payload is refused');
      expect(context.device.refused()).toMatch(/^mender-docker-delta: .*\n$/);
      expect(context.device.refused()).toMatch(reason);
      expect(spawnSync('tar', ['-xzf', context.device.payload, '-C', temporaryFolder()]).status).not.toBe(0);
      expect(context.device.images()).toEqual(images);
    });
  });

  test('waits for a Docker that goes away, and begins again', async () => {
    const { device, v2 } = await prepared();
    device.set('full');
    const { docker } = device;
    device.write('bin/sleep', `#!/bin/sh\nrm -f ${docker}/down ${docker}/full\n`);
    device.write(
      'bin/docker',
      `#!/bin/sh\n${DOCKER} "$@"\nstatus=$?\n[ "$2" != load ] || [ $status = 0 ] || : > ${docker}/down\nexit $status\n`,
    );
    expect(device.run()).toContain('app:2 is loaded');
    expect(device.images()['app:2']).toBe(device.idOf(v2));
  });

  test.each(['image inspect', 'image ls', 'image load', 'image tag'])(
    'begins again when Docker does not answer one call of %s, and loses no name',
    async (start) => {
      const folder = temporaryFolder();
      const { v1, v2 } = await versions(folder);
      const moved = { ...v2, name: v1.name };
      for (let call = 0, isBroken = true; isBroken; call += 1) {
        const device = new Device(shell, kind);
        await device.hold(v1);
        await device.receive([payloadOf('app', moved, v1, folder)]);
        device.failOnce(start, call);
        expect(device.run(), `call ${call}`).not.toContain('refused');
        isBroken = device.mend();
        expect(device.images()['app:1'], `call ${call}`).toBe(device.idOf(moved));
        device.undo();
        expect(device.images(), `call ${call}`).toEqual({ 'app:1': device.idOf(v1) });
        expect(device.moved(), `call ${call}`).toEqual(['current']);
      }
    },
    120_000,
  );

  test('an image that Docker loads to its end after a kill is deleted later', async () => {
    const { device, v1, v2 } = await prepared();
    await killInLoad(device);
    device.undo();
    await device.hold(v2);
    device.run('ArtifactRollback_Leave');
    expect(device.images()).toEqual({ 'app:1': device.idOf(v1) });
    expect(device.moved()).toEqual(['current']);
  });

  test('killed in the middle and started again, it ends as if nothing had been', async () => {
    const { device, v2 } = await prepared();
    await killInLoad(device);
    expect(device.moved()).toEqual(['mender-docker-delta', 'previous']);
    expect(device.run()).toContain('app:2 is loaded');
    expect(held(device.loads()['app:2'], blobsOf(v2))).toEqual(blobsOf(v2, 1));
  });

  test('killed at any call of Docker, it is started again or rolled back as if nothing had been', async () => {
    const folder = temporaryFolder();
    const { v1, v2 } = await versions(folder);
    const other = imageOf('other:2', v2.layers);
    const moved = payloadOf('app', { ...v2, name: v1.name }, v1, folder);
    const images = [moved, payloadOf('other', other, v1, folder)];
    let moments = 0;
    // Every second call, as the moment after one is that before the next. Every third moment starts
    // the script again.
    for (let call = 1, isKilled = true; isKilled; call += 2) {
      for (const side of ['before', 'after'] as const) {
        const device = new Device(shell, kind);
        await device.hold(v1);
        await device.receive(images);
        isKilled = device.runUntil(side, call);
        if (isKilled && moments % 3 === 0) {
          await device.receive(images);
          expect(device.run(), `${side} call ${call}`).not.toContain('refused');
          const now = { 'app:1': device.idOf(v2), 'other:2': device.idOf(other) };
          expect(device.images(), `${side} call ${call}`).toMatchObject(now);
        }
        moments += Number(isKilled);
        device.undo();
        if (device.moved().length > 1) device.run('ArtifactCommit_Leave'); // forgets what might have come
        expect(device.images(), `${side} call ${call}`).toEqual({ 'app:1': device.idOf(v1) });
        expect(device.moved(), `${side} call ${call}`).toEqual(['current']);
      }
    }
    expect(moments).toBeGreaterThanOrEqual(12);
  }, 120_000);

  test.each([
    ['made from it', true],
    ['that is whole', false],
  ])(
    'a tag that moves to an image %s keeps its old one, and a rollback gives the name back',
    async (_, isDelta) => {
      const { device, folder, v1, v2 } = await prepared();
      const moved = { ...v2, name: v1.name };
      const other = payloadOf('other', imageOf('other:2', v2.layers), v1, folder);
      await device.receive([payloadOf('app', moved, isDelta ? v1 : undefined, folder), other]);
      device.run();
      const kept = `mender-docker-delta/previous-${device.idOf(v1).slice(7, 19)}:kept`;
      expect(device.images()).toMatchObject({ 'app:1': device.idOf(moved), [kept]: device.idOf(v1) });
      device.run('ArtifactRollback_Enter');
      expect(device.images()['app:1']).toBe(device.idOf(v1));
      device.moveBack();
      device.run('ArtifactRollback_Leave');
      expect(device.images()).toEqual({ 'app:1': device.idOf(v1) });
      expect(device.moved()).toEqual(['current']);
    },
  );

  test('an image whose base has lost its name to another one finds its base layers', async () => {
    const { device, folder, v1, v2 } = await prepared();
    const code = await layerOf(folder, { code: edited(noise(1, 200_000), 9) });
    const other = imageOf('other:2', [v1.layers[0]!, code]);
    const moved = { ...v2, name: v1.name };
    await device.receive([payloadOf('app', moved, v1, folder), payloadOf('other', other, v1, folder)]);
    expect(device.run()).not.toContain('refused');
    expect(device.images()).toMatchObject({ 'app:1': device.idOf(moved), 'other:2': device.idOf(other) });
  });

  test('a rollback deletes what was loaded, except what the module deletes and what is in use', async () => {
    const { device, folder, v1, v2 } = await prepared();
    const images = [v2, imageOf('mine:2', v2.layers), imageOf('used:2', v2.layers)];
    await device.receive(images.map((image, number) => payloadOf(String(number), image, v1, folder)));
    device.run();
    device.moveBack();
    mkdirSync(join(device.store, 'cleanup'));
    writeFileSync(
      join(device.store, 'cleanup/image_ids'),
      `mine:2 ${device.idOf(images[1]!).slice(7, 19)}\n`,
    );
    writeFileSync(join(device.docker, 'used'), device.idOf(images[2]!));
    device.run('ArtifactRollback_Leave');
    expect(Object.keys(device.images())).toEqual(['app:1', 'mine:2', 'used:2']);
    rmSync(join(device.docker, 'used'));
    device.run('ArtifactRollback_Leave');
    expect(Object.keys(device.images())).toEqual(['app:1', 'mine:2']);
  });

  test('a rollback keeps an image of the same content that has another name', async () => {
    const { device, folder, v1, v2 } = await prepared();
    await device.hold({ ...v2, name: 'theirs:1' });
    await device.receive([payloadOf('app', { ...v2, name: v1.name }, v1, folder)]);
    device.run();
    device.run('ArtifactRollback_Enter');
    device.moveBack();
    device.run('ArtifactRollback_Leave');
    expect(device.images()).toEqual({ 'app:1': device.idOf(v1), 'theirs:1': device.idOf(v2) });
    expect(device.moved()).toEqual(['current']);
  });

  test('a rollback without Docker forgets nothing, and the next one does the work', async () => {
    const { device, folder, v1, v2 } = await prepared();
    const moved = payloadOf('app', { ...v2, name: v1.name }, v1, folder);
    await device.receive([moved, payloadOf('other', imageOf('other:2', v2.layers), v1, folder)]);
    device.run();
    device.moveBack();
    device.set('down');
    device.run('ArtifactRollback_Leave');
    rmSync(join(device.docker, 'down'));
    device.run('ArtifactRollback_Leave');
    expect(device.images()).toEqual({ 'app:1': device.idOf(v1) });
    expect(device.moved()).toEqual(['current']);
  });

  test('a commit deletes what an update before it had loaded, and forgets the rest', async () => {
    const { device, folder, v1, v2 } = await prepared();
    device.run();
    const v3 = imageOf('app:3', v2.layers.slice(0, 3));
    writeFileSync(join(device.docker, 'used'), device.idOf(v2));
    await device.receive([payloadOf('app', v3, v1, folder)]);
    device.run();
    expect(Object.keys(device.images())).toEqual(['app:1', 'app:2', 'app:3']);
    rmSync(join(device.docker, 'used'));
    device.run('ArtifactCommit_Leave');
    expect(Object.keys(device.images())).toEqual(['app:1', 'app:3']);
    expect(device.moved()).toEqual(['previous']);
  });

  test('a commit of what the module loaded itself deletes what an update before it had loaded', async () => {
    const { device, folder, v1, v2 } = await prepared();
    device.run();
    await device.receiveWhole([payloadOf('app', imageOf('app:3', v2.layers), undefined, folder)]);
    device.set('down');
    device.write('bin/sleep', '#!/bin/sh\n');
    expect(device.run()).toContain('the update module loads the images itself');
    rmSync(join(device.docker, 'down'));
    device.run('ArtifactCommit_Leave');
    expect(device.images()).toEqual({ 'app:1': device.idOf(v1) });
  });

  test('installed over an update that was never committed, it goes back to the one before', async () => {
    const { device } = await prepared();
    mkdirSync(join(device.store, 'previous'));
    writeFileSync(join(device.store, 'previous/project_name'), 'committed');
    writeFileSync(join(device.store, 'uncommitted'), '');
    device.run();
    expect(readFileSync(join(device.store, 'previous/project_name'), 'utf8')).toBe('committed');
    expect(device.moved()).toEqual(['mender-docker-delta', 'previous', 'uncommitted']);
  });

  test('a module that refused the payload gets an empty composition to roll back', async () => {
    const { device } = await prepared();
    device.run();
    device.run('ArtifactRollback_Enter');
    expect(device.moved()).toEqual(['mender-docker-delta', 'new', 'previous']);
    expect(readdirSync(join(device.store, 'new'))).toEqual(['image_ids', 'manifests', 'project_name']);
    expect(readFileSync(join(device.store, 'new/project_name'), 'utf8')).not.toBe('');
    // Modules of 2026 don't look at it.
    device.moveBack();
    device.run('ArtifactRollback_Leave');
    expect(device.moved()).toEqual(['current']);
  });

  test('a module that has a composition to roll back keeps it', async () => {
    const { device } = await prepared();
    device.run();
    mkdirSync(join(device.store, 'new'));
    writeFileSync(join(device.store, 'new/project_name'), 'app');
    device.run('ArtifactRollback_Enter');
    expect(readdirSync(join(device.store, 'new'))).toEqual(['project_name']);
  });

  test('a module that found nothing to roll back leaves the application where it was', async () => {
    const { device } = await prepared();
    device.run();
    device.run('ArtifactRollback_Leave');
    expect(device.moved()).toEqual(['current']);
  });
});

/** Kills the installation while Docker loads an image. */
async function killInLoad(device: Device): Promise<void> {
  device.set('hang');
  const { file, arguments: argv, env } = device.command();
  const running = spawn(file, argv, { env, detached: true, stdio: 'ignore' });
  const ended = new Promise((done) => running.once('close', done));
  while (!existsSync(join(device.docker, 'reached'))) await new Promise((done) => setTimeout(done, 20));
  process.kill(-running.pid!, 'SIGKILL');
  await ended;
  rmSync(join(device.docker, 'hang'));
}

const HEX = '0'.repeat(64);
const inLine = (word: string, field: number, text: string) => (plan: string) =>
  plan.replace(
    new RegExp(`^(${word}(?: [^ \\n]+){${field - 1}}) [^ \\n]+`, 'm'),
    (_, start: string) => `${start} ${text}`,
  );
const more = (line: string) => (plan: string) => plan.replace(/end\n$/, () => `${line}\nend\n`);

/** Each shell reads the plan with rules of its own. */
describe.each(['dash', 'busybox ash', 'bash --posix'] as const)('an odd plan in %s', (shell) => {
  test.each<[string, (plan: string) => string, number]>([
    ['bytes that are code', inLine('image', 6, 'a[$(touch${IFS}$work/../run)0]'), 2],
    ['a count that is code', inLine('image', 7, 'x=1'), 2],
    ['a size that is code', inLine('layer 0 delta', 2, 'a[$(touch${IFS}$work/../run)0]'), 4],
    ['an octal number', inLine('image', 6, '010'), 2],
    ['a number that no shell can calculate with', inLine('image', 6, '9'.repeat(16)), 2],
    ['a negative number', inLine('image', 7, '-1'), 2],
    ['a number that leads out', more(`image ../../.. - evil:1 ${HEX} ${HEX} 1024 0`), 7],
    ['a name that is an option', inLine('image', 3, '--help'), 2],
    ['an old name that is an option', inLine('image', 2, '-v'), 2],
    ['a name that is a pattern', inLine('image', 3, '*'), 2],
    ['a short digest', inLine('image', 4, '12ab'), 2],
    ['a digest in capitals', inLine('image', 5, 'A'.repeat(64)), 2],
    ['a base layer that leads out', inLine('layer 0 delta', 3, '../../x'), 4],
    ['a delta from nowhere', inLine('layer 0 delta', 3, '-'), 4],
    ['an omitted layer with bytes', inLine('layer 0 omit', 4, '7'), 3],
    ['an unknown kind of layer', inLine('layer', 2, 'link'), 3],
    ['a chain that leads out', inLine('layer', 7, '..'), 3],
    ['a word more', (plan) => plan.replace(/^(image .*)$/m, '$1 x'), 2],
    ['a carriage return', (plan) => plan.replace(/^(image .*)$/m, '$1\r'), 2],
    ['an empty line', more(''), 7],
    ['an unknown line', more('run x'), 7],
  ])('is refused: %s', async (_, edit, line) => {
    const device = new Device(shell, 'classic');
    const folder = temporaryFolder();
    const { v1, v2 } = await versions(folder);
    await device.hold(v1);
    const [plan, ...entries] = deltaPayload([payloadOf('app', v2, v1, folder)]);
    await device.pack([
      tarFile('images/plan', edit(Buffer.from(plan!.body as Buffer).toString())),
      ...entries,
    ]);
    expect(device.run()).toContain('the payload is refused');
    expect(device.refused()).toMatch(
      new RegExp(`the plan in the payload has an odd line: ${line}:[^\\n]*\\n$`),
    );
    expect(device.images()).toEqual({ 'app:1': device.idOf(v1) });
    expect(existsSync(join(device.folder, 'evil.tar'))).toBe(false);
  });

  test.each<[string, (entry: TarFile) => TarFile]>([
    ['a tar outside', (entry) => ({ ...entry, path: 'images/../../../evil.tar' })],
    ['a tar in a folder', (entry) => ({ ...entry, path: 'images/a/b.tar' })],
    ['a name that is an option', (entry) => withText(entry, '"RepoTags":["app:2"]', '"RepoTags":["--a"]')],
    ['a name of two words', (entry) => withText(entry, '"RepoTags":["app:2"]', '"RepoTags":["a :2"]')],
    ['a config outside', (entry) => withText(entry, '"Config":"blobs/sha256/', '"Config":"blobs/sha256/../')],
  ])('leaves a full artifact to the module: %s', async (_, edit) => {
    const device = new Device(shell, 'classic');
    const folder = temporaryFolder();
    const { v1, v2 } = await versions(folder);
    await device.hold(v1);
    const whole = payloadOf('app', v2, undefined, folder);
    const nested = imageEntries(whole);
    const entry = { path: 'images/app.tar', size: tarSize(nested), body: () => tarStream(nested), nested };
    await device.pack([edit(entry)]);
    const before = readFileSync(device.payload);
    expect(device.run()).toMatch(
      /the payload has an odd (file|image): .*[^]*the update module loads the images itself/,
    );
    expect(readFileSync(device.payload).equals(before)).toBe(true);
    expect(device.images()).toEqual({ 'app:1': device.idOf(v1) });
    expect(execFileSync('find', [device.folder, '-name', 'evil.tar'], { encoding: 'utf8' })).toBe('');
  });
});

/** The tar of an image with another text in one of its small files. */
function withText({ path, nested = [] }: TarFile, text: string, other: string): TarFile {
  const files = nested.map((file) =>
    file.body instanceof Uint8Array
      ? tarFile(file.path, Buffer.from(file.body).toString('latin1').replace(text, other))
      : file,
  );
  return { path, size: tarSize(files), body: () => tarStream(files) };
}

test('the state scripts pass shellcheck', () => {
  requireTool('shellcheck');
  const { stdout, status } = spawnSync('shellcheck', ['-s', 'sh', '-'], {
    input: stateScripts()[0]!.content,
    encoding: 'utf8',
  });
  expect(stdout).toBe('');
  expect(status).toBe(0);
});
