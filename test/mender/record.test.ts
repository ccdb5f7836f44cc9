import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildArtifact } from '../../src/mender/build.ts';
import { readArtifact } from '../../src/mender/read/read.ts';
import type { ArtifactRecord } from '../../src/mender/record.ts';
import { RECORD_KEY, readRecord, recordMetaData } from '../../src/mender/record.ts';
import { MODULES } from '../../src/mender/spec.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { artifactSpec, context, fullLayer, payloadImage } from './fixtures.ts';

const DIGEST: Digest = `sha256:${'a'.repeat(64)}`;
const RECORD: ArtifactRecord = {
  platform: 'linux/arm64',
  images: [
    { services: ['web', 'worker'], ref: 'shop/web:1', configDigest: DIGEST, diffIDs: [DIGEST] },
    {
      services: ['cache'],
      ref: 'redis:7',
      found: `redis@${DIGEST}`,
      manifestDigest: DIGEST,
      configDigest: DIGEST,
      diffIDs: [],
    },
  ],
};

describe('the record of an artifact', () => {
  it.each(MODULES.flatMap((module) => [[module, 'embedded'] as const, [module, 'mender-artifact'] as const]))(
    'for module %s is written by %s and read back',
    async (module, writer) => {
      const folder = temporaryFolder();
      const path = join(folder, 'out.mender');
      const images = [payloadImage('web', [fullLayer(folder, 'a', 'one')])];
      await buildArtifact(artifactSpec(images, { module, writer, record: RECORD }), path, context);
      const report = await readArtifact(path);
      expect(report.record).toEqual(RECORD);
      expect(typeof report.metaData?.[RECORD_KEY]).toBe('string');
      expect(execFileSync('mender-artifact', ['read', path], { encoding: 'utf8' })).toContain(RECORD_KEY);
    },
  );

  it.each<[string, unknown]>([
    ['no text', RECORD],
    ['no JSON', '{'],
    ['a list', '[]'],
    ['no platform', JSON.stringify({ images: [] })],
    ['an image without services', withImage({ services: [] })],
    ['a digest of another kind', withImage({ configDigest: 'md5:1' })],
    ['a diffID that is a path', withImage({ diffIDs: ['../../etc/passwd'] })],
    ['a name that is a number', withImage({ ref: 1 })],
  ])('that is damaged does not count: %s', (_, text) => {
    expect(readRecord({ [RECORD_KEY]: text })).toBeUndefined();
  });

  it('is missing in the meta-data of other tools', () => {
    expect(readRecord({ version: '1' })).toBeUndefined();
    expect(readRecord(undefined)).toBeUndefined();
    expect(recordMetaData(undefined)).toEqual({});
  });
});

function withImage(change: object): string {
  return JSON.stringify({ ...RECORD, images: [{ ...RECORD.images[0], ...change }] });
}
