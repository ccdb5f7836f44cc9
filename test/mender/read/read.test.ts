import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { buildArtifact } from '../../../src/mender/build.ts';
import { readArtifact } from '../../../src/mender/read/read.ts';
import type { VisitedLayer } from '../../../src/mender/read/report.ts';
import { readVerificationKey } from '../../../src/mender/sign.ts';
import type { ArtifactSpec } from '../../../src/mender/spec.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { runCli } from '../../helpers/cli.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { requireTool } from '../../helpers/tools.ts';
import { artifactSpec, context, deltaLayer, fullLayer, omittedLayer, payloadImage } from '../fixtures.ts';

const DELTA = Buffer.from('a delta');
const omitted = omittedLayer('base');
const delta = deltaLayer('app', omitted.diffID, DELTA);
const current = parseReference('registry.example.com/shop/web:1.0');

function mixed(folder: string, more: Partial<ArtifactSpec> = {}): ArtifactSpec {
  const full = fullLayer(folder, 'a', 'one');
  const images = [payloadImage('web', [omitted, delta, full], { current }), payloadImage('new', [full])];
  return artifactSpec(images, { dependsOnVersion: '1.0', dependsOnArtifactName: 'shop-1.0', ...more });
}

async function built(folder: string, more: Partial<ArtifactSpec> = {}): Promise<string> {
  const path = join(folder, `${more.writer ?? 'embedded'}.mender`);
  await buildArtifact(mixed(folder, more), path, context);
  return path;
}

describe('readArtifact', () => {
  it.each([
    ['app', 'none'],
    ['app', 'gzip'],
    ['app', 'lzma'],
    ['docker-compose', 'lzma'],
  ] as const)('tells what an artifact for %s, compressed with %s, holds', async (module, compression) => {
    const folder = temporaryFolder();
    const report = await readArtifact(await built(folder, { module, compression }));
    const name = module === 'app' ? 'shop' : 'mender-docker-compose.shop';
    expect(report).toMatchObject({
      artifactName: 'shop-2.0',
      deviceTypes: ['edge-device'],
      dependsOnArtifactNames: ['shop-1.0'],
      module,
      compression,
      depends: { [`rootfs-image.${name}.version`]: '1.0' },
      provides: { [`rootfs-image.${name}.version`]: '2.0' },
      clears: [module === 'app' ? 'rootfs-image.shop.*' : 'rootfs-image.mender-docker-compose.*'],
      signature: 'none',
      manifests: [{ path: 'config/run.sh' }, { path: 'docker-compose.yml', size: 13 }],
    });
    expect(report.scripts.length).toBe(module === 'app' ? 0 : 5);
    const [web, fresh] = report.images;
    expect(web).toMatchObject({
      image: 'registry.example.com/shop/web:2.0',
      base: 'registry.example.com/shop/web:1.0',
      platform: 'linux/arm64',
      layers: [
        { diffID: omitted.diffID, kind: 'omit', sent: 0 },
        { diffID: delta.diffID, kind: 'delta', sent: DELTA.length, from: omitted.diffID },
        { kind: 'full' },
      ],
    });
    expect(fresh).toMatchObject({ layers: [{ kind: 'full' }] });
    expect(fresh).not.toHaveProperty('base');
  });

  it('hands out manifests, layers and configs', async () => {
    const folder = temporaryFolder();
    const spec = mixed(folder);
    const path = join(folder, 'out.mender');
    await buildArtifact(spec, path, context);
    const [layers, configs, manifests]: [VisitedLayer[], string[], string[]] = [[], [], []];
    await readArtifact(path, {
      visitor: {
        manifest: async ({ path: name }, body) => {
          manifests.push(`${name}: ${await text(body)}`);
        },
        layer: async (layer, body) => {
          const content = await text(body);
          if (layer.kind === 'full') expect(digestOf(content)).toBe(layer.diffID);
          else expect(content).toBe('a delta');
          layers.push(layer);
        },
        config: (image, digest, config) => {
          expect(digestOf(config)).toBe(digest);
          configs.push(image);
          return Promise.resolve();
        },
      },
    });
    expect(layers.map(({ folder, kind }) => `${folder} ${kind}`)).toEqual([
      'web delta',
      'web full',
      'new full',
    ]);
    expect(configs).toEqual(['web', 'new']);
    expect(manifests).toEqual(['config/run.sh: #!/bin/sh\n', 'docker-compose.yml: services: {}\n']);
  });

  it.each(['app', 'docker-compose'] as const)(
    'finds the same in what both writers make for %s',
    async (module) => {
      requireTool('mender-artifact');
      const folder = temporaryFolder();
      const ours = await readArtifact(await built(folder, { module }));
      const theirs = await readArtifact(await built(folder, { module, writer: 'mender-artifact' }));
      const comparable = { size: 0, compression: 'lzma' };
      expect({ ...theirs, ...comparable }).toEqual({ ...ours, ...comparable });
    },
  );

  it.each(['none', 'gzip', 'lzma'] as const)(
    'refuses damage wherever it is, compression %s',
    async (compression) => {
      const folder = temporaryFolder();
      const path = await built(folder, { compression });
      const whole = readFileSync(path);
      const damaged = join(folder, 'damaged.mender');
      const report = await readArtifact(path);
      for (let at = 600; at < whole.length; at += Math.ceil(whole.length / 40)) {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ 0x55;
        writeFileSync(damaged, bytes);
        // Padding and times are not covered by any checksum; everything else is.
        const found = await readArtifact(damaged).catch((error: unknown) => error);
        if (found instanceof Error) expect(found.message).toContain(damaged);
        if (found instanceof Error) expect(['IntegrityError', 'UnsupportedError']).toContain(found.name);
        else expect(found).toEqual(report);
      }
    },
  );

  it.each([0, 1, 511, 512, 1500, 3000, -1024, -600])('refuses an artifact cut at %d', async (end) => {
    const folder = temporaryFolder();
    const whole = readFileSync(await built(folder));
    const path = join(folder, 'cut.mender');
    writeFileSync(path, whole.subarray(0, end < 0 ? whole.length + end - 600 : end));
    await expect(readArtifact(path)).rejects.toMatchObject({ name: 'IntegrityError' });
  });

  it.each([
    ['services:\n  web:\n    image: alpine:3\n', 'found YAML'],
    ['<!doctype html><title>Sign in</title>', 'found a web page'],
    ['no artifact', 'found text'],
  ])('says what %j is', async (content, found) => {
    const path = join(temporaryFolder(), 'odd.mender');
    writeFileSync(path, content);
    await expect(readArtifact(path)).rejects.toThrow(`${path}: expected a Mender Artifact, ${found}`);
  });

  it('lets go of a file that it refuses', async () => {
    const path = join(temporaryFolder(), 'none.mender');
    writeFileSync(path, 'none'.repeat(500));
    await expect(readArtifact(path)).rejects.toMatchObject({ name: 'UnsupportedError' });
    const isOpen = () =>
      readdirSync('/proc/self/fd').some((name) => {
        const link = join('/proc/self/fd', name);
        return existsSync(link) && readlinkSync(link) === path;
      });
    await expect.poll(isOpen).toBe(false);
  });

  it.each<[string, string, string]>([
    ['no such file', 'missing.mender', 'NotFoundError'],
    ['a folder', '.', 'UsageError'],
  ])('says so for %s', async (_what, name, error) => {
    await expect(readArtifact(join(temporaryFolder(), name))).rejects.toMatchObject({ name: error });
  });

  it('refuses data behind a name of another compression', async () => {
    const folder = temporaryFolder();
    const inside = temporaryFolder();
    execFileSync('tar', ['-xf', await built(folder, { compression: 'gzip' }), '-C', inside]);
    execFileSync('sh', ['-c', 'gunzip data/0000.tar.gz && mv data/0000.tar data/0000.tar.gz'], {
      cwd: inside,
    });
    const path = join(folder, 'wrong.mender');
    execFileSync(
      'tar',
      ['-cf', path, '-C', inside, 'version', 'manifest', 'header.tar.gz', 'data/0000.tar.gz'],
      {},
    );
    await expect(readArtifact(path)).rejects.toThrow('promises gzip');
  });
});

describe('signatures', () => {
  const keys = [
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }), 'pkcs1'],
    ['RSA in PKCS#8', generateKeyPairSync('rsa', { modulusLength: 2048 }), 'pkcs8'],
    ['ECDSA', generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'sec1'],
    ['ECDSA in PKCS#8', generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'pkcs8'],
  ] as const;

  it.each(keys)('made with %s are accepted by mender-artifact and by us', async (_name, pair, type) => {
    requireTool('mender-artifact');
    const folder = temporaryFolder();
    const [signKey, publicKey] = [join(folder, 'key.pem'), join(folder, 'public.pem')];
    writeFileSync(signKey, pair.privateKey.export({ type: type, format: 'pem' }));
    writeFileSync(publicKey, pair.publicKey.export({ type: 'spki', format: 'pem' }));
    const path = await built(folder, { signKey });
    execFileSync('mender-artifact', ['validate', '-k', publicKey, path], { stdio: 'pipe' });
    expect((await readArtifact(path)).signature).toBe('unchecked');
    for (const file of [signKey, publicKey]) {
      const { stdout } = await runCli(['inspect', path, '--key', file, '--json']);
      expect(JSON.parse(stdout)).toMatchObject({ signature: 'valid' });
    }
  });

  it('are refused if another key made them, and reported if they are missing', async () => {
    const folder = temporaryFolder();
    const signKey = join(folder, 'key.pem');
    writeFileSync(signKey, keys[2][1].privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const signed = await built(folder, { signKey });
    await expect(readArtifact(signed, { key: keys[3][1].publicKey })).rejects.toThrow(
      'not made with this key',
    );
    const unsigned = await built(folder);
    await expect(readArtifact(unsigned, { key: keys[3][1].publicKey })).rejects.toMatchObject({
      message: expect.stringContaining('not signed') as string,
      hint: expect.stringMatching(/build .*--sign/) as string,
    });
  });

  it.each<[string, string, string]>([
    ['a passphrase', encrypted(), 'UsageError'],
    ['Ed25519', pem(generateKeyPairSync('ed25519').privateKey), 'UnsupportedError'],
    ['another curve', pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey), 'UnsupportedError'],
    ['no key', 'hello', 'UsageError'],
    ['a public key', keys[2][1].publicKey.export({ type: 'spki', format: 'pem' }).toString(), 'UsageError'],
  ])('are not made with %s', async (_what, content, error) => {
    const folder = temporaryFolder();
    const signKey = join(folder, 'key.pem');
    writeFileSync(signKey, content);
    await expect(built(folder, { signKey })).rejects.toMatchObject({ name: error });
  });
});

describe('a key to verify with', () => {
  const kinds = [
    ['Ed25519', generateKeyPairSync('ed25519').publicKey, 'UnsupportedError'],
    ['X25519', generateKeyPairSync('x25519').publicKey, 'UnsupportedError'],
    ['another curve', generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey, 'UnsupportedError'],
    ['RSA-PSS', generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey, 'UnsupportedError'],
  ] as const;

  it.each(kinds)('is refused if it is %s', async (_what, key, error) => {
    const path = join(temporaryFolder(), 'key.pem');
    writeFileSync(path, key.export({ type: 'spki', format: 'pem' }));
    await expect(readVerificationKey(path)).rejects.toMatchObject({ name: error });
    expect((await runCli(['inspect', path, '--key', path])).code).toBe(7);
  });

  it.each([
    ['a text', 'hello'],
    ['an empty file', ''],
    ['zeros', '\0\0'],
  ])('is refused if it is %s', async (_what, content) => {
    const path = join(temporaryFolder(), 'key.pem');
    writeFileSync(path, content);
    await expect(readVerificationKey(path)).rejects.toMatchObject({ name: 'UsageError' });
  });
});

function pem(key: { export(options: { type: 'pkcs8'; format: 'pem' }): string | Buffer }): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function encrypted(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const;
  return privateKey.export(options).toString();
}
