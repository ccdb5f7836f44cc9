import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { entryFile, parseEntry } from '../../src/registry/files/entryManifest.ts';
import { manifestOf } from '../../src/registry/files/pushFile.ts';

const blob = { digest: digestOf('x'), size: 1, open: () => Readable.from([]) };
const manifest = (tag: string, time: string): string =>
  manifestOf(entryFile(tag, blob, Date.parse(time))).toString();

const CREATED = 'org.opencontainers.image.created';
/** A manifest with some fields replaced. */
function changed(fields: object): Buffer {
  const whole = JSON.parse(manifest('latest-a', '2026-06-01T12:00:00Z')) as object;
  return Buffer.from(JSON.stringify({ ...whole, ...fields }));
}

describe('the manifest of an entry', () => {
  test('is the same for all writers of a day', () => {
    const [morning, evening, next] = ['06-01T00:00:00Z', '06-01T23:59:59Z', '06-02T00:00:00Z'].map((time) =>
      manifest('latest-a', `2026-${time}`),
    );
    expect([morning === evening, morning === next]).toEqual([true, false]);
  });

  test('is another for another tag', () => {
    const time = '2026-06-01T12:00:00Z';
    expect(manifest('latest-a', time)).not.toBe(manifest('shop-a', time));
  });

  test('tells the file and the end of the day', () => {
    expect(parseEntry(changed({}))).toEqual({
      ...{ digest: blob.digest, size: 1 },
      stored: Date.parse('2026-06-02T00:00:00Z'),
    });
  });

  test.each<[string, object]>([
    ['no annotations', { annotations: undefined }],
    ['annotations that are null', { annotations: null }],
    ['annotations that are a list', { annotations: [1] }],
    ['another annotation', { annotations: { a: 'b' } }],
    ['a date that is no text', { annotations: { [CREATED]: 1e12 } }],
    ['a date in words', { annotations: { [CREATED]: 'today' } }],
    ['a day that does not exist', { annotations: { [CREATED]: '2026-99-99T00:00:00Z' } }],
    ['a time', { annotations: { [CREATED]: '2026-06-01T12:00:00Z' } }],
  ])('has no date with %s', (_, fields) => {
    expect(parseEntry(changed(fields))).toEqual({ digest: blob.digest, size: 1, stored: 0 });
  });

  test.each<[string, Buffer]>([
    ['an image', changed({ artifactType: undefined })],
    ['another artifact', changed({ artifactType: 'application/vnd.example' })],
    ['an index', changed({ layers: undefined, manifests: [] })],
    ['a manifest without layers', changed({ layers: [] })],
    ['a manifest with a layer without a size', changed({ layers: [{ digest: blob.digest }] })],
    ['a text', Buffer.from('"x"')],
    ['no JSON', Buffer.from('{')],
  ])('is not %s', (_, bytes) => {
    expect(parseEntry(bytes)).toBeUndefined();
  });
});
