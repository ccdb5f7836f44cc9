import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  decoderPath,
  hasDecoder,
  ownDecoderPath,
  readDecoder,
} from '../../../src/mender/onDevice/carriedDecoder.ts';
import { parsePlatform } from '../../../src/oci/platform.ts';
import { identityPatch } from '../../../src/patch/identityPatch.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { imageOf, payloadOf } from './images.ts';
import type { Delta } from './patches.ts';
import { patchContent, patchesOf } from './patches.ts';
import { DEVICES, Device, blobsOf, held, versions, which } from './scriptDevice.ts';

const PLATFORMS = ['linux/amd64', 'linux/arm64', 'linux/arm/v7', 'linux/arm/v6', 'linux/riscv64'];
const NATIVE = readFileSync(ownDecoderPath()!);

describe('the decoder of a platform', () => {
  test.each([
    ['linux/amd64', 'linux-amd64'],
    ['linux/amd64/v3', 'linux-amd64'],
    ['linux/arm64', 'linux-arm64'],
    ['linux/arm64/v8', 'linux-arm64'],
    ['linux/arm', 'linux-arm-v7'],
    ['linux/arm/v7', 'linux-arm-v7'],
    ['linux/arm/v8', 'linux-arm-v7'],
    ['linux/arm/v6', 'linux-arm-v6'],
    ['linux/riscv64', 'linux-riscv64'],
  ])('%s is %s', (platform, name) => {
    const path = decoderPath(parsePlatform(platform));
    expect(path.endsWith(`/decoder/bin/${name}`)).toBe(true);
    expect(readFileSync(path).toString('latin1', 0, 4)).toBe('\x7fELF');
  });

  test.each(['linux/arm/v5', 'linux/386', 'linux/s390x', 'windows/amd64', 'linux/constructor'])(
    '%s has none',
    (platform) => {
      expect(hasDecoder(parsePlatform(platform))).toBe(false);
      expect(() => readDecoder(parsePlatform(platform))).toThrow(`there is no decoder for ${platform}`);
    },
  );
});

/** The program for a machine that nobody has. */
function foreign(decoder: Uint8Array): Buffer {
  return Buffer.from(decoder).fill(0xff, 18, 20);
}

describe.each(DEVICES)('the state script with a carried decoder in %s, %s store', (shell, kind) => {
  /** A device without xdelta3 that has received patches. */
  async function prepared() {
    const device = new Device(shell, kind);
    rmSync(join(device.tools, 'xdelta3'));
    const folder = temporaryFolder();
    const { v1, v2 } = await versions(folder);
    await device.hold(v1);
    const image = await patchesOf(payloadOf('app', v2, v1, folder), v2, v1, folder);
    await device.receive([image], NATIVE);
    return { device, folder, v1, v2, image };
  }

  test('decodes without xdelta3, and leaves no decoder behind', async () => {
    const { device, v1, v2 } = await prepared();
    expect(device.run()).toContain('app:2 is loaded');
    expect(held(device.loads()['app:2'], blobsOf(v2))).toEqual(blobsOf(v2, 1));
    expect(device.images()).toEqual({ 'app:1': device.idOf(v1), 'app:2': device.idOf(v2) });
    expect(readdirSync(join(device.store, 'mender-docker-delta'))).not.toContain('decoder');
  });

  test('copies layers that have moved', async () => {
    const { device, folder, v1 } = await prepared();
    const moved = imageOf('app:3', [v1.layers[0]!, v1.layers[2]!, v1.layers[1]!]);
    const image = payloadOf('app', moved, v1, folder);
    for (const layer of image.layers.slice(1)) {
      const { diffID: digest, size } = layer;
      const identity = { kind: 'delta', from: digest, fromSize: size, size: 0, body: '' } as const;
      layer.content = patchContent(identity, identityPatch({ digest, size }));
    }
    await device.receive([image], NATIVE);
    expect(device.run()).toContain('app:3 is loaded');
    const decoded = kind === 'classic' ? blobsOf(moved, 1) : [];
    expect(held(device.loads()['app:3'], blobsOf(moved))).toEqual(decoded);
  });

  test('starts the decoder elsewhere if no programs run in its folder', async () => {
    const { device } = await prepared();
    const skip = 'case $2 in */payloads/*) exit 0 ;; esac';
    device.write('bin/chmod', `#!/bin/sh\n${skip}\nexec ${which('chmod')} "$@"\n`);
    expect(device.run()).toContain('app:2 is loaded');
    expect(readdirSync(join(device.store, 'mender-docker-delta'))).not.toContain('decoder');
  });

  test('takes patches and deltas in one payload if it has both decoders', async () => {
    const { device, folder, v1, v2, image } = await prepared();
    device.link('xdelta3', which('xdelta3'));
    image.layers[2]!.content = payloadOf('app', v2, v1, folder).layers[2]!.content;
    await device.receive([image], NATIVE);
    expect(device.run()).toContain('app:2 is loaded');
  });

  describe('leaves a payload that the module refuses, and nothing else', () => {
    type Prepared = Awaited<ReturnType<typeof prepared>>;
    const cases: Record<string, [(context: Prepared) => unknown, RegExp]> = {
      'where no programs run': [
        ({ device }) => device.write('bin/chmod', '#!/bin/sh\n'),
        /carried decoder does not run on this device, neither in .* nor in .*ermission denied/,
      ],
      'with the decoder of another machine': [
        ({ device, image }) => device.receive([image], foreign(NATIVE)),
        /carried decoder does not run on this device, .*it is for another machine/,
      ],
      'with a decoder that was cut': [
        ({ device, image }) => device.receive([image], NATIVE.subarray(0, 9000)),
        /carried decoder does not run on this device/,
      ],
      'without a decoder': [
        ({ device, image }) => device.receive([image]),
        /the payload has patches, and no decoder for them/,
      ],
      'without chmod': [({ device }) => rmSync(join(device.tools, 'chmod')), /chmod is not on this device/],
      'when a patch is flipped': [
        async ({ device, image }) => {
          const delta = image.layers[1]!.content as Delta;
          const body = Buffer.from(delta.body as Uint8Array);
          body[body.length - 100]! ^= 0xff;
          image.layers[1]!.content = { ...delta, body };
          await device.receive([image], NATIVE);
        },
        /the carried decoder can't decode layer [0-9a-f]{64}: decoder: /,
      ],
      'when a patch is cut': [
        async ({ device, image }) => {
          const delta = image.layers[1]!.content as Delta;
          const body = (delta.body as Buffer).subarray(0, -50);
          image.layers[1]!.content = { ...delta, body, size: body.length };
          await device.receive([image], NATIVE);
        },
        /the carried decoder can't decode layer [0-9a-f]{64}: decoder: /,
      ],
      'when a patch is another one': [
        async ({ device, image }) => {
          image.layers[1]!.content = { ...image.layers[2]!.content };
          await device.receive([image], NATIVE);
        },
        /can't load app:2: invalid diffID|the carried decoder can't decode layer|unexpected EOF/,
      ],
      'when a patch is of another base layer': [
        async ({ device, image, v1 }) => {
          const delta = image.layers[1]!.content as Delta;
          image.layers[1]!.content = { ...delta, from: v1.layers[2]!.diffID };
          await device.receive([image], NATIVE);
        },
        /the carried decoder can't decode layer [0-9a-f]{64}: decoder: /,
      ],
    };

    test.each(Object.entries(cases))('%s', async (_name, [harm, reason]) => {
      const context = await prepared();
      await harm(context);
      const images = context.device.images();
      expect(context.device.run()).toContain('the payload is refused');
      expect(context.device.refused()).toMatch(/^mender-docker-delta: .*\n$/);
      expect(context.device.refused()).toMatch(reason);
      expect(context.device.images()).toEqual(images);
      expect(readdirSync(join(context.device.store))).not.toContain('current');
    });
  });
});

/** A shell runs a program that the kernel does not know as a script. */
test.each(['dash', 'busybox ash'])('%s does nothing with the decoder of another machine', (shell) => {
  for (const platform of PLATFORMS) {
    const folder = temporaryFolder();
    const program = join(temporaryFolder(), 'decoder');
    writeFileSync(program, foreign(readDecoder(parsePlatform(platform))));
    chmodSync(program, 0o755);
    const [file = '', ...rest] = shell.split(' ');
    const { status } = spawnSync(file, [...rest, '-c', '"$0" test', program], { cwd: folder });
    expect(status).not.toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  }
});
