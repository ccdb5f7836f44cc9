import { describe, expect, it } from 'vitest';
import { IntegrityError, UnsupportedError } from '../../src/errors.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { mayLeadToImage } from '../../src/oci/descriptor.ts';
import { parseConfig, parseManifest } from '../../src/oci/manifest.ts';
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../src/oci/mediaTypes.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}` as const;
const CONFIG = { mediaType: 'c', digest: DIGEST, size: 1 };
const LAYERS = [{ mediaType: 'l', digest: DIGEST, size: 2 }];

describe('parseManifest', () => {
  it.each([
    ['OCI manifest', { mediaType: OCI_MANIFEST, config: CONFIG, layers: LAYERS }, undefined, 'manifest'],
    [
      'Docker manifest',
      { mediaType: DOCKER_MANIFEST, config: CONFIG, layers: LAYERS },
      undefined,
      'manifest',
    ],
    ['manifest without media type', { config: CONFIG, layers: [] }, undefined, 'manifest'],
    ['OCI index', { mediaType: OCI_INDEX, manifests: LAYERS }, undefined, 'index'],
    ['Docker list by content type', { manifests: [] }, DOCKER_LIST, 'index'],
  ])('reads an %s', (_, json, contentType, kind) => {
    expect(parseManifest(JSON.stringify(json), 'it', contentType).kind).toBe(kind);
  });

  it.each([
    ['no JSON', '{', IntegrityError, 'it: not valid JSON'],
    ['a list', '[]', IntegrityError, 'it: expected a JSON object'],
    ['schema 1', '{"schemaVersion":1,"fsLayers":[]}', UnsupportedError, 'expected an image manifest'],
    [
      'a bad digest',
      JSON.stringify({ config: { ...CONFIG, digest: 'md5:1' }, layers: [] }),
      IntegrityError,
      'it: config.digest: expected a digest',
    ],
    [
      'a negative size',
      JSON.stringify({ config: { ...CONFIG, size: -1 }, layers: [] }),
      IntegrityError,
      'it: config.size: expected a number of bytes, found -1',
    ],
    [
      'a size that is not a number',
      JSON.stringify({ config: CONFIG, layers: [{ ...CONFIG, size: '9' }] }),
      IntegrityError,
      'it: layers[0].size: expected a number of bytes, found "9"',
    ],
    [
      'layers that are no list',
      JSON.stringify({ mediaType: OCI_MANIFEST, config: CONFIG, layers: {} }),
      IntegrityError,
      'it: layers: expected a list',
    ],
    [
      'a digest that this tool can not compute',
      JSON.stringify({ config: { ...CONFIG, digest: `sha512:${'0'.repeat(128)}` }, layers: [] }),
      UnsupportedError,
      'it: config.digest: expected a digest sha256',
    ],
  ])('refuses %s', (_, text, kind, message) => {
    expect(() => parseManifest(text, 'it')).toThrow(kind);
    expect(() => parseManifest(text, 'it')).toThrow(message);
  });
});

describe('the entries of an index', () => {
  const good = { mediaType: OCI_MANIFEST, digest: DIGEST, size: 1 };
  const arm64 = { os: 'linux', architecture: 'arm64' };
  it.each<[string, object, object]>([
    [
      'a platform in another spelling',
      { platform: { os: 'Linux', architecture: 'aarch64', variant: '8' } },
      { manifests: [{ ...good, platform: arm64 }], odd: [] },
    ],
    ['an empty platform', { platform: {} }, { manifests: [good], odd: [] }],
    ['an os alone', { platform: { os: 'linux' } }, { manifests: [good], odd: [] }],
    [
      'annotations that are no texts',
      { annotations: { a: 1, b: 'b' } },
      { manifests: [{ ...good, annotations: { b: 'b' } }], odd: [] },
    ],
    [
      'features',
      { platform: { ...arm64, 'os.features': ['x'] } },
      { manifests: [{ ...good, platform: arm64, features: ['x'] }], odd: [] },
    ],
    [
      'another algorithm',
      { platform: arm64, digest: `sha512:${'a'.repeat(128)}` },
      {
        manifests: [],
        odd: [
          {
            platform: arm64,
            problem: expect.stringContaining('digest: expected a digest sha256') as string,
            isDamaged: false,
          },
        ],
      },
    ],
    ['no size', { size: undefined }, { manifests: [], odd: [{ problem: 'size: missing', isDamaged: true }] }],
  ])('with %s', (_, entry, expected) => {
    const text = JSON.stringify({ mediaType: OCI_INDEX, manifests: [{ ...good, ...entry }] });
    expect(parseManifest(text, 'it')).toEqual({ kind: 'index', ...expected });
  });
});

describe('parseConfig', () => {
  it('gives platform and diffIDs in order', () => {
    const json = {
      os: 'linux',
      architecture: 'arm64',
      variant: 'v8',
      rootfs: { diff_ids: [DIGEST, DIGEST] },
    };
    expect(parseConfig(JSON.stringify(json), 'it')).toEqual({
      platform: { os: 'linux', architecture: 'arm64' },
      diffIDs: [DIGEST, DIGEST],
    });
  });

  it.each([
    [{ architecture: 'arm64' }, 'os or architecture is missing'],
    [
      { os: 'linux', architecture: 'arm64', rootfs: { diff_ids: 'x' } },
      'it: rootfs.diff_ids: expected a list',
    ],
    [{ os: 'linux', architecture: 'arm64', rootfs: { diff_ids: ['x'] } }, 'expected a digest'],
  ])('refuses %j', (json, message) => {
    expect(() => parseConfig(JSON.stringify(json), 'it')).toThrow(message);
  });
});

describe('mayLeadToImage', () => {
  const base: Descriptor = { mediaType: OCI_MANIFEST, digest: DIGEST, size: 1 };
  it.each([
    [base, true],
    [{ ...base, mediaType: DOCKER_LIST }, true],
    [{ ...base, mediaType: '' }, true],
    [{ ...base, mediaType: 'application/vnd.example.unknown+json' }, false],
    [{ ...base, platform: { os: 'unknown', architecture: 'unknown' } }, false],
    [{ ...base, annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } }, false],
    [{ ...base, annotations: { 'vnd.docker.reference.type': 'other' } }, true],
    [{ ...base, platform: { os: 'linux', architecture: 'amd64' }, features: ['nydus'] }, false],
    [{ ...base, platform: { os: 'windows', architecture: 'amd64' }, features: ['win32k'] }, true],
  ])('%j', (descriptor, may) => {
    expect(mayLeadToImage(descriptor)).toBe(may);
  });
});
