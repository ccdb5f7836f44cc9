import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../../src/errors.ts';
import type { TarFile } from '../../../src/tar/tar.ts';
import { DEFAULT_MTIME, tarFile, tarSize, tarStream } from '../../../src/tar/tar.ts';
import { isWorthSplicing, splicedPayloadFile } from '../../../src/mender/write/spliced.ts';
import type { PayloadImage } from '../../../src/mender/payload.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const collect = (body: TarFile['body']): Promise<Buffer> =>
  body instanceof Uint8Array ? Promise.resolve(Buffer.from(body)) : buffer(body());

/** An entry whose bytes are also in a gzip file, as from a registry. */
function layer(folder: string, name: string, content: Buffer): TarFile {
  const packed = gzipSync(content);
  const path = join(folder, `${name}.gz`);
  writeFileSync(path, packed);
  return { ...tarFile(name, content), gzipped: { path, size: packed.length, digest: digestOf(packed) } };
}

function nested(path: string, entries: TarFile[]): TarFile {
  return { path, size: tarSize(entries), body: () => tarStream(entries), nested: entries };
}

describe('splicedPayloadFile', () => {
  const one = Buffer.from('first layer '.repeat(500));
  const two = Buffer.from('second layer '.repeat(7));

  it.each([
    [
      'layers between other files',
      (f: string) => [tarFile('a', 'x'), layer(f, 'l', one), tarFile('b', 'y'), layer(f, 'm', two)],
    ],
    ['a layer at the end', (f: string) => [layer(f, 'l', one)]],
    [
      'images that are tars themselves',
      (f: string) => [
        nested('i.img', [tarFile('c', 'z'), layer(f, 'l', one), layer(f, 'm', two)]),
        tarFile('d', ''),
      ],
    ],
    ['no layer at all', () => [tarFile('a', 'x'), nested('i.img', [tarFile('c', 'z')])]],
    ['nothing', () => []],
  ])('holds the same tar as one that is stored: %s', async (_, make) => {
    const entries = make(temporaryFolder());
    const expected = await buffer(tarStream(entries));
    const file = splicedPayloadFile('images.tar.gz', entries, DEFAULT_MTIME);
    for (const made of [file, file.lengthened!(3)]) {
      const packed = await collect(made.body);
      expect(packed.length).toBe(made.size);
      expect(gunzipSync(packed).equals(expected)).toBe(true);
    }
    expect(file.lengthened!(3).size).toBe(file.size + 15);
  });

  it('copies the gzip file of a layer as it is', async () => {
    const entry = layer(temporaryFolder(), 'l', one);
    const packed = await collect(splicedPayloadFile('images.tar.gz', [entry], DEFAULT_MTIME).body);
    expect(packed.includes(gzipSync(one))).toBe(true);
  });

  it.each([
    ['other bytes', (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === 30 ? byte ^ 1 : byte)))],
    ['fewer bytes', (bytes: Buffer) => bytes.subarray(0, -1)],
  ])('refuses a gzip file with %s', async (_, damage) => {
    const entry = layer(temporaryFolder(), 'l', one);
    writeFileSync(entry.gzipped!.path, damage(gzipSync(one)));
    await expect(collect(splicedPayloadFile('i', [entry], DEFAULT_MTIME).body)).rejects.toThrow(
      IntegrityError,
    );
  });
});

describe('isWorthSplicing', () => {
  const MIB = 1 << 20;
  const image = (...layers: [number, boolean][]): PayloadImage => ({
    id: 'i',
    name: parseReference('a:1'),
    platform: { os: 'linux', architecture: 'amd64' },
    config: Buffer.from('{}'),
    layers: layers.map(([size, isGzipped], number) => {
      const diffID = digestOf(String(number));
      const gzipped = { path: '/x', size: 1, digest: diffID };
      return { diffID, size, content: { kind: 'full', path: '/x', ...(isGzipped ? { gzipped } : {}) } };
    }),
  });

  it.each([
    ['a large image from a registry', [image([300 * MIB, true])], 301 * MIB, true],
    ['several of them', [image([200 * MIB, true]), image([200 * MIB, true])], 401 * MIB, true],
    ['a small one', [image([60 * MIB, true])], 61 * MIB, false],
    ['one that came uncompressed', [image([300 * MIB, false])], 301 * MIB, false],
    [
      'one with half of its bytes in gzip files',
      [image([200 * MIB, true], [200 * MIB, false])],
      401 * MIB,
      false,
    ],
  ])('%s', (_, images, size, is) => {
    expect(isWorthSplicing(images, size)).toBe(is);
  });
});
