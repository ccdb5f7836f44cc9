import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EXIT } from '../../../src/errors.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { flip } from '../../helpers/flip.ts';
import { buildImage } from '../../helpers/images.ts';
import type { BuiltImage } from '../../helpers/images.ts';
import { noise } from '../../helpers/noise.ts';
import { project } from '../../helpers/project.ts';
import type { Project } from '../../helpers/project.ts';
import type { RunningRegistry } from '../../helpers/registry.ts';
import { push, startRegistry } from '../../helpers/registry.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { rebuild, unpackArtifact } from '../artifact.ts';

// Noise takes lzma long.
vi.setConfig({ testTimeout: 240_000 });

const MIB = 1 << 20;
const ROOM = Buffer.alloc(50 * MIB);
/** Large and gzipped: 17 MiB that do not get smaller, and 50 that do. */
const os = { 'lib/os': noise(17 * MIB, 1), 'lib/room': ROOM };
const app = (release: number): Record<string, Buffer> => ({
  'srv/app': Buffer.concat([noise(17 * MIB, 2), Buffer.from(`release ${release}`)]),
});
const v1 = buildImage({ layers: [os, app(1)] });
const v2 = buildImage({ layers: [os, app(2)] });
/** Smaller than what is worth to be kept as its registry gzipped it. */
const lone = buildImage({ layers: [app(1)] });
const [osLayer, appLayer] = v1.layers as [(typeof v1.layers)[0], (typeof v1.layers)[0]];

/** The same image, whose manifest has another blob in place of its first layer's. */
function withBlob(image: BuiltImage, blob: Buffer): BuiltImage {
  const manifest = JSON.parse(image.manifest.toString()) as { layers: { digest: Digest; size: number }[] };
  Object.assign(manifest.layers[0]!, { digest: digestOf(blob), size: blob.length });
  const bytes = Buffer.from(JSON.stringify(manifest));
  const descriptor = { ...image.descriptor, digest: digestOf(bytes), size: bytes.length };
  const blobs = new Map([...image.blobs, [digestOf(blob), blob] as const]);
  return { ...image, manifest: bytes, descriptor, blobs };
}

const other = buildImage({ layers: [{ 'lib/os': noise(17 * MIB, 3), 'lib/room': ROOM }] });
const sibling = buildImage({ layers: [os, app(1)], config: { author: 'a sibling' } });
const liar = withBlob(sibling, other.layers[0]!.blob);
const packedAnew = withBlob(v1, gzipSync(osLayer.tar, { level: 1 }));

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
  const images = { 1: v1, 2: v2, lone, liar, anew: packedAnew };
  for (const [tag, image] of Object.entries(images)) await push(registry.host, 'shop/web', tag, image);
});
afterAll(() => registry.stop());

const services = (): string[] => [`web: {image: "${registry.host}/shop/web:\${TAG}"}`];
const shop = (): Project => project(temporaryFolder(), services());

/** The project after its first release, which is built once. */
let released: Project;
beforeAll(async () => {
  released = project(mkdtempSync(join(tmpdir(), 'mender-docker-delta-packed-')), services());
  expect(await released.build('1', '1')).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(released.folder, { recursive: true }));

function shopWithRelease(): Project {
  const web = shop();
  cpSync(released.folder, web.folder, { recursive: true });
  return web;
}

/** What the cache has of the layer: `` uncompressed, `.gz` as its registry had it. */
function formsOf({ cache }: Project, { diffID }: { diffID: Digest }): string[] {
  const name = diffID.slice('sha256:'.length);
  const files = readdirSync(join(cache, 'v1/layers')).filter((file) => file.startsWith(name));
  return files.map((file) => file.slice(name.length)).filter((suffix) => suffix !== '.json');
}

function rebuilt({ artifact }: Project, tag: string, base?: string): string[] {
  const folderOf = (which: string): string | undefined =>
    unpackArtifact(artifact(which)).images.get(`${registry.host}/shop/web:${which}`);
  return rebuild(folderOf(tag)!, base === undefined ? undefined : folderOf(base));
}

const diffIDs = (image: BuiltImage): string[] => image.layers.map(({ diffID }) => diffID);

describe('large layers that a full artifact ships', () => {
  it('stay as their registry had them, and are uncompressed once a delta needs them', async () => {
    const web = shopWithRelease();
    expect(rebuilt(web, '1')).toEqual(diffIDs(v1));
    expect([osLayer, appLayer].map((layer) => formsOf(web, layer))).toEqual([['.gz'], ['.gz']]);

    expect(await web.build('2', '2')).toMatchObject({ code: 0 });
    expect(rebuilt(web, '2', '1')).toEqual(diffIDs(v2));
    const both = [
      ['', '.gz'],
      ['', '.gz'],
    ];
    expect([osLayer, appLayer].map((layer) => formsOf(web, layer))).toEqual(both);
  });

  it('are uncompressed for verify', async () => {
    const web = shopWithRelease();
    await web.build('2', '2');
    const plain = join(web.cache, 'v1/layers', appLayer.diffID.slice('sha256:'.length));
    rmSync(plain);
    const base = ['--base', web.artifact('1')];
    expect(await web.cli('verify', web.artifact('2'), ...base)).toMatchObject({ code: 0 });
    expect(formsOf(web, appLayer)).toEqual(['', '.gz']);
  });

  it('are uncompressed at once where they are to be compressed in another way', async () => {
    const web = shop();
    expect(await web.build('1', '1', '--compression', 'gzip')).toMatchObject({ code: 0 });
    expect(rebuilt(web, '1')).toEqual(diffIDs(v1));
    expect(formsOf(web, osLayer)).toEqual(['', '.gz']);
  });

  it('are uncompressed into an artifact that is too small to keep them as they are', async () => {
    const web = shop();
    expect(await web.build('lone', 'lone')).toMatchObject({ code: 0 });
    expect(rebuilt(web, 'lone')).toEqual(diffIDs(lone));
    expect(formsOf(web, appLayer)).toEqual(['.gz']);
  });

  it('do for the same artifact without a registry, also where that is to be compressed', async () => {
    const web = shopWithRelease();
    const first = readFileSync(web.artifact('1'));
    for (const [compression, isSame] of [
      ['auto', true],
      ['gzip', false],
    ] as const) {
      const more = ['--mode', 'offline', '--no-delta', '--compression', compression];
      expect(await web.build('1', '1', ...more)).toMatchObject({ code: 0 });
      expect(readFileSync(web.artifact('1')).equals(first)).toBe(isSame);
      expect(rebuilt(web, '1')).toEqual(diffIDs(v1));
    }
  });

  it.each([
    ['a full artifact', ['--no-delta']],
    ['a delta', []],
  ])('come anew for %s when they rotted', async (_, more) => {
    const web = shopWithRelease();
    flip(join(web.cache, 'v1/layers', `${appLayer.diffID.slice('sha256:'.length)}.gz`));
    const [tag, release] = more.length > 0 ? ['1', v1] : ['2', v2];
    expect(await web.build(tag, tag, ...more)).toMatchObject({ code: 0 });
    expect(rebuilt(web, tag, more.length > 0 ? undefined : '1')).toEqual(diffIDs(release));
  });
});

describe('an image whose config names another layer than its manifest has', () => {
  it('is found by verify', async () => {
    const web = shop();
    expect(await web.build('liar', 'liar')).toMatchObject({ code: 0 });
    const { code, stdout } = await web.cli('verify', web.artifact('liar'));
    expect([code, stdout]).toEqual([EXIT.integrity, expect.stringContaining(osLayer.diffID.slice(7, 19))]);
  });

  it('is not believed when another image names that layer', async () => {
    const web = shop();
    await web.build('liar', 'liar');
    expect(await web.build('1', '1', '--no-delta')).toMatchObject({ code: 0 });
    expect(rebuilt(web, '1')).toEqual(diffIDs(v1));
  });

  it('is not believed by another image of the same build', async () => {
    const both = project(temporaryFolder(), [
      `liar: {image: "${registry.host}/shop/web:liar"}`,
      `web: {image: "${registry.host}/shop/web:1"}`,
    ]);
    expect(await both.build('both', '')).toMatchObject({
      code: EXIT.integrity,
      stderr: expect.stringContaining(`layer ${osLayer.diffID}: expected`) as string,
    });
  });

  it('is believed where its registry only packed the layer in another way', async () => {
    const web = shop();
    expect(await web.build('anew', 'anew')).toMatchObject({ code: 0 });
    expect(rebuilt(web, 'anew')).toEqual(diffIDs(v1));
    expect(await web.build('1', '1', '--no-delta')).toMatchObject({ code: 0 });
    expect(rebuilt(web, '1')).toEqual(diffIDs(v1));
    expect(formsOf(web, osLayer)).toEqual(['', '.gz']);
  });
});
