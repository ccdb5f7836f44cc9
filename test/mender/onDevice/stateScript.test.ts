import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { TarFile } from '../../../src/tar/tar.ts';
import { tarStream } from '../../../src/tar/tar.ts';
import { deltaPayload } from '../../../src/mender/onDevice/payload.ts';
import { stateScripts } from '../../../src/mender/onDevice/stateScript.ts';
import type { PayloadImage } from '../../../src/mender/payload.ts';
import { digestOf, hexOf } from '../../../src/oci/digest.ts';
import { blobPath, portableManifestDigest } from '../../../src/oci/portable.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { requireTool } from '../../helpers/tools.ts';
import type { TestImage } from './images.ts';
import { archiveImage, edited, imageOf, layerOf, noise, payloadOf } from './images.ts';

const INSTALL = stateScripts()[0]!;
const ROLLBACK = stateScripts()[1]!;

/** A docker of files: DOCKER_STORE/<name with _ for / and :>/{id,size,save.tar}. */
const FAKE_DOCKER = `#!/bin/sh
cat > /dev/null
slot() { echo "$DOCKER_STORE/$(echo "$1" | tr '/:' '__')"; }
case "$1 $2" in
  'version '*) exit 0 ;;
  'image inspect')
    for name; do :; done
    [ -d "$(slot "$name")" ] || { echo "no such image: $name" >&2; exit 1; }
    case "$*" in *Size*) cat "$(slot "$name")/size" ;; *) cat "$(slot "$name")/id" ;; esac ;;
  'image save') cat "$(slot "$3")/save.tar"; [ ! -f "$DOCKER_STORE/hang" ] || { : > "$DOCKER_STORE/reached"; sleep 60; } ;;
  'image tag') [ -d "$(slot "$3")" ] && rm -rf "$(slot "$4")" && cp -r "$(slot "$3")" "$(slot "$4")" ;;
  'image rm') rm -rf "$(slot "$3")" ;;
  *) echo "unexpected: docker $*" >&2; exit 1 ;;
esac
`;

const APPLETS = 'cat cut df echo grep gzip head mkdir mv rm sh sha256sum sleep tail tar tr wc cp'.split(' ');

/** A device in a folder: its paths, its tools, a docker that serves saved tars. */
class Device {
  readonly folder = temporaryFolder();
  readonly tree = join(this.folder, 'var/lib/mender/modules/v3/payloads/0000/tree');
  readonly store = join(this.folder, 'data/mender-docker-compose');
  readonly docker = join(this.folder, 'docker');
  readonly tools = join(this.folder, 'bin');
  readonly shell: string[];

  constructor(shell: 'dash' | 'busybox ash') {
    requireTool('dash');
    requireTool('busybox', 'busybox-static');
    requireTool('xdelta3');
    this.shell = shell.split(' ');
    for (const folder of [join(this.tree, 'files'), join(this.store, 'current'), this.docker, this.tools])
      mkdirSync(folder, { recursive: true });
    writeFileSync(join(this.store, 'current/project_name'), 'old');
    for (const tool of APPLETS) this.link(tool, shell === 'dash' ? which(tool) : which('busybox'));
    this.link('xdelta3', which('xdelta3'));
    this.write('bin/docker', FAKE_DOCKER);
  }

  link(tool: string, target: string): void {
    symlinkSync(target, join(this.tools, tool));
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.folder, path), text);
    chmodSync(join(this.folder, path), 0o755);
  }

  async hold(image: TestImage): Promise<void> {
    const slot = join(this.docker, image.name.replaceAll(/[/:]/g, '_'));
    mkdirSync(slot, { recursive: true });
    writeFileSync(join(slot, 'id'), digestOf(image.config));
    writeFileSync(join(slot, 'size'), '1000000');
    await archiveImage(image, join(slot, 'save.tar'));
  }

  receive(images: PayloadImage[]): Promise<void> {
    return this.pack(deltaPayload(images));
  }

  async pack(entries: TarFile[]): Promise<void> {
    await pipeline(tarStream(entries), createGzip({ level: 0 }), createWriteStream(this.payload));
  }

  get payload(): string {
    return join(this.tree, 'files/images.tar.gz');
  }

  command(script = INSTALL): { file: string; arguments: string[]; env: Record<string, string> } {
    const text = script.content.replaceAll(/\/(var\/lib|etc|data)\//g, `${this.folder}/$1/`);
    this.write(script.name, text);
    const [file = '', ...rest] = this.shell;
    const env = { PATH: this.tools, DOCKER_STORE: this.docker };
    return { file: which(file), arguments: [...rest, join(this.folder, script.name)], env };
  }

  /** What the script says; it never fails. */
  run(script = INSTALL): string {
    const { file, arguments: argv, env } = this.command(script);
    const { status, stderr } = spawnSync(file, argv, { env, encoding: 'utf8', cwd: '/' });
    expect(status, stderr).toBe(0);
    expect(readdirSync(this.tree)).toEqual(['files']);
    expect(this.moved()).toBe('previous');
    return stderr;
  }

  moved(): string {
    return readdirSync(this.store).join(' ');
  }

  /** Paths in the loadable tar of an image. */
  loadable(number: number): string[] {
    const folder = temporaryFolder();
    execFileSync('tar', ['-xzf', this.payload, '-C', folder]);
    const list = execFileSync('tar', ['-tf', join(folder, `images/${number}.tar`)], { encoding: 'utf8' });
    return list.split('\n');
  }

  refused(): string {
    return readFileSync(this.payload, 'latin1');
  }
}

function which(tool: string): string {
  return execFileSync('sh', ['-c', 'command -v "$0"', tool], { encoding: 'utf8' }).trim();
}

async function versions(folder: string): Promise<{ v1: TestImage; v2: TestImage }> {
  const code = noise(1, 200_000);
  const data = noise(2, 90_000);
  const base = await layerOf(folder, { 'bin/busybox': noise(3, 50_000) });
  const v1 = imageOf('app:1', [base, await layerOf(folder, { code }), await layerOf(folder, { data })]);
  const v2 = imageOf('app:2', [
    base,
    await layerOf(folder, { code: edited(code, 4) }),
    await layerOf(folder, { data: edited(data, 5) }),
    await layerOf(folder, { more: 'text' }),
  ]);
  return { v1, v2 };
}

const blobsOf = (image: TestImage, from = 0) =>
  image.layers.slice(from).map(({ diffID }) => blobPath(diffID));
const holds = (paths: string[], wanted: string[]) => wanted.filter((path) => paths.includes(path));

describe.each(['dash', 'busybox ash'] as const)('the state script in %s', (shell) => {
  async function prepared() {
    const device = new Device(shell);
    const folder = temporaryFolder();
    const { v1, v2 } = await versions(folder);
    await device.hold(v1);
    const image = payloadOf('app', v2, v1, folder);
    await device.receive([image]);
    return { device, folder, v1, v2, image };
  }

  test('rebuilds changed and added layers, and leaves out the unchanged prefix', async () => {
    const { device, v2 } = await prepared();
    expect(device.run()).toContain('app:2: 3 layers decoded, 1 left out');
    const paths = device.loadable(0);
    expect(holds(paths, blobsOf(v2))).toEqual(blobsOf(v2, 1));
    expect(paths).toEqual(expect.arrayContaining(['index.json', 'manifest.json']));
    expect(paths.join()).not.toContain('vcdiff');
  });

  test('does nothing to a payload that it has rebuilt', async () => {
    const { device } = await prepared();
    device.run();
    const before = readFileSync(device.payload);
    expect(device.run()).toContain('rebuilt already');
    expect(readFileSync(device.payload).equals(before)).toBe(true);
  });

  test('ships no layer of an image that is on the device already (reinstall)', async () => {
    const { device, v2 } = await prepared();
    await device.hold(v2);
    expect(device.run()).toContain('app:2 is on this device already');
    expect(holds(device.loadable(0), blobsOf(v2))).toEqual([]);
  });

  test('knows an image by the manifest digest too, as the containerd store does', async () => {
    const { device, v2, image } = await prepared();
    await device.hold(v2);
    writeFileSync(join(device.docker, 'app_2/id'), portableManifestDigest(image));
    expect(device.run()).toContain('app:2 is on this device already');
  });

  test('takes several images, a new one and one that repeats a layer', async () => {
    const { device, folder, v1, v2 } = await prepared();
    const layer = v2.layers[1]!;
    const fresh = imageOf('localhost:5000/fresh:1', [layer, v2.layers[3]!, layer]);
    const repeating = imageOf('app:3', [...v1.layers, v1.layers[0]!, v1.layers[2]!]);
    await device.receive([payloadOf('a', fresh, undefined, folder), payloadOf('b', repeating, v1, folder)]);
    expect(device.run()).toContain('app:3: 2 layers decoded, 1 left out');
    expect(holds(device.loadable(0), blobsOf(fresh))).toEqual(blobsOf(fresh));
    expect(holds(device.loadable(1), blobsOf(v1))).toEqual([blobsOf(v1)[0], blobsOf(v1)[2]]);
  });

  test('finds the layers of an image that was pulled, whose blobs are compressed', async () => {
    const { device, v1, v2 } = await prepared();
    const slot = join(device.docker, 'app_1');
    execFileSync('tar', ['-xf', 'save.tar'], { cwd: slot });
    for (const blob of blobsOf(v1)) {
      execFileSync('gzip', ['-n', blob], { cwd: slot });
      const name = hexOf(digestOf(readFileSync(join(slot, `${blob}.gz`))));
      execFileSync('mv', [`${blob}.gz`, `blobs/sha256/${name}`], { cwd: slot });
    }
    execFileSync('tar', ['-cf', 'save.tar', 'blobs', 'index.json', 'manifest.json', 'oci-layout'], {
      cwd: slot,
    });
    expect(device.run()).toContain('app:2: 3 layers decoded, 0 left out');
    expect(holds(device.loadable(0), blobsOf(v2))).toEqual(blobsOf(v2));
  });

  test('honours the configuration of the module', async () => {
    const { device } = await prepared();
    mkdirSync(join(device.folder, 'etc/mender'), { recursive: true });
    mkdirSync(join(device.folder, 'elsewhere/current'), { recursive: true });
    device.write('bin/mydocker', `#!/bin/sh\nshift\nexec ${device.tools}/docker "$@"\n`);
    const config = `PERSISTENT_STORE=${device.folder}/elsewhere\nDOCKER_CMD="mydocker --quiet"\n`;
    device.write('etc/mender/mender-docker-compose.conf', config);
    const { file, arguments: argv, env } = device.command();
    const { stderr } = spawnSync(file, argv, { env, encoding: 'utf8' });
    expect(stderr).toContain('3 layers decoded');
    expect(device.moved()).toBe('current');
    expect(readdirSync(join(device.folder, 'elsewhere'))).toEqual(['previous']);
  });

  test.each(['exit 3', 'if then (', 'false', 'x=$('])('outlives the configuration %j', async (config) => {
    const { device } = await prepared();
    mkdirSync(join(device.folder, 'etc/mender'), { recursive: true });
    device.write('etc/mender/mender-docker-compose.conf', `${config}\n`);
    device.run();
  });

  describe('leaves a payload that the module refuses', () => {
    const cases: Record<
      string,
      [(device: Device, images: Awaited<ReturnType<typeof prepared>>) => unknown, RegExp]
    > = {
      'without xdelta3': [
        (device) => execFileSync('rm', [join(device.tools, 'xdelta3')]),
        /xdelta3 is not on this device/,
      ],
      'without sha256sum': [
        (device) => execFileSync('rm', [join(device.tools, 'sha256sum')]),
        /sha256sum is not on/,
      ],
      'without a daemon': [
        (device) => device.write('bin/docker', '#!/bin/sh\nexit 1\n'),
        /daemon does not answer/,
      ],
      'with too little space': [
        (device) => {
          execFileSync('rm', [join(device.tools, 'df')]);
          device.write('bin/df', '#!/bin/sh\necho head\necho /dev/x 100 10 90 10% /\n');
        },
        /too little space at .*: \d{7} bytes needed, 92160 free/,
      ],
      'with a df that says nothing': [
        (device) => {
          execFileSync('rm', [join(device.tools, 'df')]);
          device.write('bin/df', '#!/bin/sh\n');
        },
        /unexpected failure/,
      ],
      'when the old image is gone': [
        (device) => execFileSync('rm', ['-r', join(device.docker, 'app_1')]),
        /old image app:1 can't be saved: is it on this device/,
      ],
      'when the old image can not be saved': [
        (device) => writeFileSync(join(device.docker, 'app_1/save.tar'), 'x'),
        /app:1 can't be saved/,
      ],
      'on another base': [
        async (device, { folder }) =>
          device.hold(imageOf('app:1', [await layerOf(folder, { other: noise(9, 5000) })])),
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
        /layer [0-9a-f]{64} came out with other bytes/,
      ],
      'when a delta is another one': [
        async (device, { image }) => {
          image.layers[1]!.content = { ...image.layers[2]!.content };
          await device.receive([image]);
        },
        /layer [0-9a-f]{64} came out with other bytes/,
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
        /can't be read|unexpected failure/,
      ],
      'when the payload is missing': [(device) => execFileSync('rm', [device.payload]), /can't be read/],
      'when the payload is noise': [
        (device) => writeFileSync(device.payload, noise(1, 5000)),
        /can't be read/,
      ],
    };

    test.each(Object.entries(cases))('%s', async (_name, [harm, reason]) => {
      const context = await prepared();
      await harm(context.device, context);
      expect(context.device.run()).toContain('the payload is refused');
      expect(context.device.refused()).toMatch(/^mender-docker-delta: .*\n$/);
      expect(context.device.refused()).toMatch(reason);
      const unpack = spawnSync('tar', ['-xzf', context.device.payload, '-C', temporaryFolder()]);
      expect(unpack.status).not.toBe(0);
    });
  });

  test('killed in the middle and started again, it ends as if nothing had been', async () => {
    const { device, v2 } = await prepared();
    writeFileSync(join(device.docker, 'hang'), '');
    const { file, arguments: argv, env } = device.command();
    const running = spawn(file, argv, { env, detached: true });
    const ended = new Promise((resolve) => running.once('close', resolve));
    while (!existsSync(join(device.docker, 'reached')))
      await new Promise((resolve) => setTimeout(resolve, 20));
    process.kill(-running.pid!, 'SIGKILL');
    await ended;
    expect(device.moved()).toBe('previous');
    execFileSync('rm', [join(device.docker, 'hang')]);
    expect(device.run()).toContain('3 layers decoded');
    expect(holds(device.loadable(0), blobsOf(v2))).toEqual(blobsOf(v2, 1));
  });

  test.each([
    ['made from it', true],
    ['that is whole', false],
  ])(
    'a tag that moves to an image %s keeps its old one, and a rollback gives the name back',
    async (_, isDelta) => {
      const { device, folder, v1, v2 } = await prepared();
      const moved = { ...v2, name: v1.name };
      const other = payloadOf('other', { ...v2, name: 'other:2' }, v1, folder);
      await device.receive([payloadOf('app', moved, isDelta ? v1 : undefined, folder), other]);
      device.run();
      expect(readdirSync(device.docker)).toEqual(['app_1', 'mender-docker-delta_previous-0_kept']);
      await device.hold(moved);
      device.run(ROLLBACK);
      expect(readdirSync(device.docker)).toEqual(['app_1']);
      expect(readFileSync(join(device.docker, 'app_1/id'), 'utf8')).toBe(digestOf(v1.config));
      expect(readdirSync(join(device.store, 'previous'))).toEqual(['project_name']);
    },
  );

  test('a rollback without moved tags changes nothing', async () => {
    const { device } = await prepared();
    device.run();
    expect(device.run(ROLLBACK)).toBe('');
    expect(readdirSync(device.docker)).toEqual(['app_1']);
  });
});

test('the state scripts pass shellcheck', () => {
  requireTool('shellcheck');
  const { stdout, status } = spawnSync('shellcheck', ['-s', 'sh', '-'], {
    input: INSTALL.content,
    encoding: 'utf8',
  });
  expect(stdout).toBe('');
  expect(status).toBe(0);
});
