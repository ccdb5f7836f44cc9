import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDocument, writeDocument } from '../../src/cache/documents.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { digestOf } from '../../src/oci/digest.ts';
import type { ResolvedImage } from '../../src/oci/image.ts';
import { parsePlatform } from '../../src/oci/platform.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { testCache } from '../helpers/cache.ts';

const PLATFORM = parsePlatform('linux/amd64');
const REFERENCE = parseReference('registry.example.com/web:1');
const OCI = 'application/vnd.oci.image';

interface Published {
  manifest: Buffer;
  config: Buffer;
  image: ResolvedImage;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function publish(content: string, architecture = 'amd64'): Published {
  const diffID = digestOf(content);
  const config = json({ os: 'linux', architecture, rootfs: { type: 'layers', diff_ids: [diffID] } });
  const descriptor = { mediaType: `${OCI}.layer.v1.tar`, digest: diffID, size: content.length };
  const manifest = json({
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: { mediaType: `${OCI}.config.v1+json`, digest: digestOf(config), size: config.length },
    layers: [descriptor],
  });
  const image = {
    ...{ reference: REFERENCE, platform: { os: 'linux', architecture }, source: 'registry' },
    ...{ configDigest: digestOf(config), manifestDigest: digestOf(manifest) },
    layers: [{ diffID, descriptor }],
  };
  return { manifest, config, image };
}

const [good, evil, other] = [publish('good'), publish('evil'), publish('other', 'arm64')];
const index = json({
  schemaVersion: 2,
  mediaType: `${OCI}.index.v1+json`,
  manifests: [good, other].map(({ manifest, image }) => ({
    ...{ mediaType: `${OCI}.manifest.v1+json`, digest: digestOf(manifest), size: manifest.length },
    platform: image.platform,
  })),
});
const [MANIFEST, INDEX] = [digestOf(good.manifest), digestOf(index)];

type TestCache = ReturnType<typeof testCache>;

async function remember(digest: Digest, image = good.image): Promise<TestCache> {
  const cache = testCache();
  for (const { manifest, config } of [good, evil, other]) {
    await cache.images.keep('manifest', manifest);
    await cache.images.keep('config', config);
  }
  await cache.images.keep('manifest', index);
  await cache.images.rememberManifest(digest, PLATFORM, image);
  await cache.images.rememberName(REFERENCE, PLATFORM, image);
  return cache;
}

const { configDigest, layers } = evil.image;
const manifestDigest = digestOf(evil.manifest);
const CHANGES: [string, Partial<ResolvedImage>][] = [
  ['another config with its layers', { configDigest, layers }],
  ['another config with its layers and its manifest', { configDigest, layers, manifestDigest }],
  ['other layers', { layers }],
  [
    'another blob of a layer',
    { layers: [{ ...good.image.layers[0]!, ...{ descriptor: layers[0]!.descriptor! } }] },
  ],
  ['no layers', { layers: [] }],
  ['the image of another platform', other.image],
];

describe('the note of a manifest', () => {
  it.each([
    ['a manifest', MANIFEST],
    ['an index', INDEX],
  ])('is used for %s whose bytes lead to it', async (_, digest) => {
    const cache = await remember(digest);
    expect(await cache.images.findByManifest(digest, PLATFORM)).toEqual(good.image);
    expect(await cache.upkeep.deleteDamaged()).toEqual([]);
  });

  it.each(
    CHANGES.flatMap(([what, change]) => [MANIFEST, INDEX].map((digest) => [what, digest, change] as const)),
  )('is neither used nor kept where somebody wrote %s into it: %s', async (_, digest, change) => {
    const cache = await remember(digest);
    const path = cache.paths.manifest(digest, PLATFORM);
    await writeDocument(path, { ...(await readDocument(path)), ...change });
    expect(await cache.images.findByManifest(digest, PLATFORM)).toBeUndefined();
    expect(await cache.upkeep.deleteDamaged()).toMatchObject([{ kind: 'image', path }]);
    expect(existsSync(path)).toBe(false);
  });

  it.each<[string, (cache: TestCache) => void]>([
    ['its manifest is missing', ({ paths }) => rmSync(paths.manifestBytes(MANIFEST))],
    ['its config is missing', ({ paths }) => rmSync(paths.config(good.image.configDigest))],
    ['its manifest was replaced', ({ paths }) => rewrite(paths.manifestBytes(MANIFEST), evil.manifest)],
    ['it is a link', ({ paths }) => link(paths.manifest(MANIFEST, PLATFORM))],
    ['its manifest is a link', ({ paths }) => link(paths.manifestBytes(MANIFEST))],
  ])('is not used where %s', async (_, change) => {
    const cache = await remember(MANIFEST);
    change(cache);
    expect(await cache.images.findByManifest(MANIFEST, PLATFORM)).toBeUndefined();
  });

  it('is that of one digest and platform', async () => {
    const { images } = await remember(INDEX);
    expect(await images.findByManifest(INDEX, parsePlatform('linux/arm64'))).toBeUndefined();
    expect(await images.findByManifest(MANIFEST, PLATFORM)).toBeUndefined();
    expect(await images.findByLibraryFile(INDEX, PLATFORM)).toBeUndefined();
    expect(await images.findByName(parseReference('registry.example.com/web:2'), PLATFORM)).toBeUndefined();
  });

  it('of a library file is deleted by a pruning after 90 days; that of a name stays', async () => {
    const cache = await remember(MANIFEST);
    const { images, upkeep, paths } = cache;
    await images.rememberName(REFERENCE, PLATFORM, good.image);
    await images.rememberLibraryFile(MANIFEST, PLATFORM, good.image);
    const notes = [paths.manifest(MANIFEST, PLATFORM), paths.tag(REFERENCE, PLATFORM)];
    const kept = [...notes, paths.manifestBytes(MANIFEST)];
    const all = [...kept, paths.libraryImage(MANIFEST, PLATFORM)];
    const prune = async (days: number) => {
      const then = new Date(Date.now() - days * 86_400_000);
      for (const path of all) utimesSync(path, then, then);
      await upkeep.prune({ limitPercent: 0 });
      return all.filter(existsSync).length;
    };
    expect([await prune(89), await prune(91)]).toEqual([all.length, kept.length]);
  });

  it('of a file of a library is not in the cache, where others could change it', async () => {
    const cache = await remember(MANIFEST);
    await cache.images.rememberLibraryFile(INDEX, PLATFORM, good.image);
    expect(cache.paths.libraryImage(INDEX, PLATFORM).startsWith(cache.root)).toBe(false);
    const again = testCache({ ownFolder: join(cache.paths.root, '../own') });
    expect(await again.images.findByLibraryFile(INDEX, PLATFORM)).toEqual(good.image);
    const poisoned = testCache();
    await writeDocument(
      join(poisoned.root, 'library', basename(cache.paths.libraryImage(INDEX, PLATFORM))),
      good.image,
    );
    expect(await poisoned.images.findByLibraryFile(INDEX, PLATFORM)).toBeUndefined();
  });

  it('of an older version, without its bytes, is not used and not called damaged', async () => {
    const cache = testCache();
    await writeDocument(cache.paths.manifest(MANIFEST, PLATFORM), good.image);
    expect(await cache.images.findByManifest(MANIFEST, PLATFORM)).toBeUndefined();
    expect(await cache.upkeep.deleteDamaged()).toEqual([]);
  });
});

describe('the note of a name', () => {
  it.each<[string, Partial<ResolvedImage>, object | undefined]>([
    ['nothing changed', {}, good.image],
    ["the layers are not the config's", { layers }, undefined],
    ["the manifest is another image's", { manifestDigest }, unconfirmed(good.image)],
    ['the manifest is unknown', { manifestDigest: digestOf('x') }, unconfirmed(good.image)],
  ])('leaves out what nothing confirms: %s', async (_, change, expected) => {
    const cache = await remember(MANIFEST, { ...good.image, ...change });
    expect(await cache.images.findByName(REFERENCE, PLATFORM)).toEqual(expected);
  });
});

function unconfirmed(image: ResolvedImage): Omit<ResolvedImage, 'manifestDigest'> {
  const { reference, platform, source } = image;
  return {
    reference,
    platform,
    source,
    configDigest: image.configDigest,
    layers: image.layers.map(({ diffID }) => ({ diffID })),
  };
}

function rewrite(path: string, bytes: Buffer): void {
  rmSync(path);
  writeFileSync(path, bytes);
}

/** Replaces a file by a link to a copy of it. */
function link(path: string): void {
  const copy = `${dirname(dirname(path))}/copy`;
  mkdirSync(dirname(copy), { recursive: true });
  writeFileSync(copy, readFileSync(path));
  rmSync(path);
  symlinkSync(copy, path);
}
