import { describe, expect, it } from 'vitest';
import {
  canonicalReference,
  deviceReference,
  formatReference,
  parseReference,
  shortForm,
} from '../../src/oci/reference.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}` as const;
const LONG = 'a/'.repeat(130) + 'a';

describe('parseReference', () => {
  it.each([
    ['busybox', 'docker.io', 'library/busybox', 'latest', undefined],
    ['busybox:1.36', 'docker.io', 'library/busybox', '1.36', undefined],
    ['docker.io/busybox', 'docker.io', 'library/busybox', 'latest', undefined],
    ['index.docker.io/library/busybox', 'docker.io', 'library/busybox', 'latest', undefined],
    ['team/app', 'docker.io', 'team/app', 'latest', undefined],
    ['localhost/app', 'localhost', 'app', 'latest', undefined],
    ['localhost:5000/a/b/c:v1', 'localhost:5000', 'a/b/c', 'v1', undefined],
    ['127.0.0.1:5000/app', '127.0.0.1:5000', 'app', 'latest', undefined],
    ['[::1]:5000/app', '[::1]:5000', 'app', 'latest', undefined],
    ['ghcr.io/a/b_c__d-e.f', 'ghcr.io', 'a/b_c__d-e.f', 'latest', undefined],
    ['MyRegistry/app', 'MyRegistry', 'app', 'latest', undefined],
    [`busybox@${DIGEST}`, 'docker.io', 'library/busybox', undefined, DIGEST],
    [`quay.io/x/y:1@${DIGEST}`, 'quay.io', 'x/y', '1', DIGEST],
  ])('%s', (text, registry, repository, tag, digest) => {
    const { tag: foundTag, digest: foundDigest, ...rest } = parseReference(text);
    expect([rest, foundTag, foundDigest]).toEqual([{ registry, repository }, tag, digest]);
  });

  it.each([
    ['', 'no repository name'],
    ['App', 'lower case'],
    ['docker.io/App', 'lower case'],
    ['a:', 'is not a tag'],
    ['a:b:c', 'a:b" is not a repository'],
    [':1', 'no repository name'],
    ['a//b', 'is not a repository name'],
    ['/a', 'is not a repository name'],
    ['a/', 'is not a repository name'],
    ['-a', 'is not a repository name'],
    ['a b', 'is not a repository name'],
    ['a@sha256:12', 'only sha256'],
    ['a@b@c', 'more than one @'],
    ['ab'.repeat(32), 'the ID of an image'],
    [`a@sha512:${'0'.repeat(128)}`, 'only sha256'],
    [`a:${'x'.repeat(129)}`, 'is not a tag'],
    ['ex ample.com/a', 'is not a registry host'],
    ['host:port/a', 'is not a registry host'],
    [LONG, 'longer than 255'],
  ])('refuses %j: %s', (text, why) => {
    expect(() => parseReference(text)).toThrow(why);
  });
});

it.each(['u:hunter2@h/img:1', 'u:hunter2@h', `u:hunter2@h/img@${DIGEST}`])(
  'hides the password in %s',
  (text) => {
    expect(() => parseReference(text)).toThrow(/^(?!.*hunter2)invalid image reference "\*\*\*@/);
  },
);

describe('spellings of a reference', () => {
  it.each([
    ['busybox', 'busybox:latest', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['team/app:1', 'team/app:1', 'docker.io/team/app:1', 'team/app:1'],
    ['localhost:5000/a:1', 'localhost:5000/a:1', 'localhost:5000/a:1', 'localhost:5000/a:1'],
    [`a:1@${DIGEST}`, `a:1@${DIGEST}`, `docker.io/library/a:1@${DIGEST}`, 'a:1'],
    [`a@${DIGEST}`, `a@${DIGEST}`, `docker.io/library/a@${DIGEST}`, `a:sha256-${'0a'.repeat(32)}`],
  ])('%s', (text, short, canonical, onDevice) => {
    const reference = parseReference(text);
    expect(formatReference(reference)).toBe(short);
    expect(shortForm(canonical)).toBe(short);
    expect(canonicalReference(reference)).toBe(canonical);
    expect(formatReference(deviceReference(reference))).toBe(onDevice);
    expect(parseReference(short)).toEqual(reference);
  });
  it.each(['', 'A:1', 'a:'])('%j has none', (text) => expect(shortForm(text)).toBeUndefined());
});
