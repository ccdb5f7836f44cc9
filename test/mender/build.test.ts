import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildArtifact } from '../../src/mender/build.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { hexOf } from '../../src/oci/digest.ts';
import { portableFiles } from '../../src/oci/portable.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { requireTool } from '../helpers/tools.ts';
import type { ArtifactSpec } from '../../src/mender/spec.ts';
import { artifactSpec, context, deltaLayer, fullLayer, omittedLayer, payloadImage } from './fixtures.ts';

function menderArtifact(...commandLine: string[]): string {
  requireTool('mender-artifact');
  return execFileSync('mender-artifact', commandLine, { encoding: 'utf8', stdio: 'pipe' });
}

function tar(...commandLine: string[]): string {
  return execFileSync('tar', commandLine, { encoding: 'utf8' });
}

/** Unpacks the artifact, its data and the archives in it; returns the folder of the payload. */
function unpacked(path: string, suffix: string): string {
  const folder = temporaryFolder();
  tar('-xf', path, '-C', folder);
  const files = join(folder, 'files');
  mkdirSync(files);
  tar('-xf', join(folder, `data/0000.tar${suffix}`), '-C', files);
  for (const name of readdirSync(files)) tar('-xf', join(files, name), '-C', files);
  return files;
}

describe('the embedded writer', () => {
  it.each([
    ['none', ''],
    ['gzip', '.gz'],
    ['lzma', '.xz'],
  ] as const)('writes with compression %s what mender-artifact accepts', async (compression, suffix) => {
    const folder = temporaryFolder();
    const path = join(folder, 'out.mender');
    const images = [payloadImage('web', [fullLayer(folder, 'a', 'one'), fullLayer(folder, 'b', 'two')])];
    const summary = await buildArtifact(artifactSpec(images, { compression }), path, context);
    expect(summary).toMatchObject({ compression, writer: 'embedded', signed: false });
    expect(menderArtifact('validate', path)).toContain('validated successfully');
    const text = menderArtifact('read', path);
    expect(text).toContain('rootfs-image.shop.version: 2.0');
    expect(tar('-tf', path).trim().split('\n')).toEqual([
      'version',
      'manifest',
      `header.tar${suffix}`,
      `data/0000.tar${suffix}`,
    ]);
    expect(summary.size).toBe(readFileSync(path).length);
  });

  it('writes the same bytes from the same input, with any number of threads', async () => {
    const folder = temporaryFolder();
    const spec = artifactSpec([payloadImage('web', [fullLayer(folder, 'a', 'one'.repeat(9000))])]);
    const [one, two] = [join(folder, 'one.mender'), join(folder, 'two.mender')];
    await buildArtifact(spec, one, context);
    await buildArtifact(spec, two, { ...context, threads: 1 });
    expect(readFileSync(one).equals(readFileSync(two))).toBe(true);
  });

  it('leaves nothing behind when a layer has changed its size', async () => {
    const folder = temporaryFolder();
    const layer = { ...fullLayer(folder, 'a', 'one'), size: 1 };
    const out = join(folder, 'out');
    const failed = buildArtifact(
      artifactSpec([payloadImage('web', [layer])]),
      join(out, 'x.mender'),
      context,
    );
    await expect(failed).rejects.toMatchObject({ name: 'IntegrityError' });
    expect(readdirSync(out)).toEqual([]);
  });
});

describe('a layer that was damaged on the disk', () => {
  it('is noticed while it is packed', async () => {
    const folder = temporaryFolder();
    const layer = fullLayer(folder, 'a', 'one');
    writeFileSync((layer.content as { path: string }).path, Buffer.alloc(layer.size));
    const failed = buildArtifact(
      artifactSpec([payloadImage('web', [layer])]),
      join(folder, 'x.mender'),
      context,
    );
    await expect(failed).rejects.toMatchObject({ name: 'IntegrityError' });
  });
});

describe('the payload of app', () => {
  it('has full, delta and omitted layers as the module reads them', async () => {
    const folder = temporaryFolder();
    const [omitted, full] = [omittedLayer('base'), fullLayer(folder, 'a', 'one')];
    const delta = deltaLayer('app', omitted.diffID, Buffer.from('a delta'));
    const current = parseReference('registry.example.com/shop/web:1.0');
    const images = [
      payloadImage('web', [omitted, delta, full, omitted], { current }),
      payloadImage('new', [full]),
    ];
    const path = join(folder, 'out.mender');
    const spec = artifactSpec(images, { compression: 'none', dependsOnVersion: '1.0' });
    await buildArtifact(spec, path, context);
    const files = unpacked(path, '');
    const text = (name: string): string => readFileSync(join(files, name), 'utf8');
    expect(text('images/web/url-new.txt')).toBe('registry.example.com/shop/web:2.0');
    expect(text('images/web/url-current.txt')).toBe('registry.example.com/shop/web:1.0');
    expect(text('images/web/deep_delta')).toBe('');
    expect(text('images/new/url-current.txt')).toBe(text('images/new/url-new.txt'));
    expect(text('images/new/sums-current.txt')).toMatch(/^[0-9a-f]{64}$/);
    expect(readdirSync(join(files, 'images/new'))).not.toContain('deep_delta');
    const listed = tar('-tf', join(files, 'images/web/image.img')).trim().split('\n');
    const name = (digest: Digest): string => `blobs/sha256/${hexOf(digest)}`;
    expect(listed).toEqual([
      ...portableFiles(images[0]!).map((file) => file.path),
      `${name(delta.diffID)}.vcdiff`,
      `${name(delta.diffID)}.source`,
      name(full.diffID),
    ]);
    expect(text('manifests/docker-compose.yml')).toBe('services: {}\n');
  });
});

describe('a name with a control character', () => {
  it.each<[string, Partial<ArtifactSpec>]>([
    ['NUL in a device type', { deviceTypes: ['a', 'b\0'] }],
    ['a line end in the artifact name', { artifactName: 'a\nb' }],
    ['a tab in the software name', { softwareName: 'a\tb' }],
    ['an escape in the version', { softwareVersion: '1\x1b[31m' }],
    ['NUL in what it depends on', { dependsOnVersion: '1\0' }],
  ])('is refused by both writers: %s', async (_what, more) => {
    const folder = temporaryFolder();
    const images = [payloadImage('web', [fullLayer(folder, 'a', 'one')])];
    for (const writer of ['embedded', 'mender-artifact'] as const) {
      const failed = buildArtifact(
        artifactSpec(images, { ...more, writer }),
        join(folder, 'x.mender'),
        context,
      );
      await expect(failed).rejects.toMatchObject({ name: 'UsageError' });
    }
  });
});
