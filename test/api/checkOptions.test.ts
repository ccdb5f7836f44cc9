import { expect, test } from 'vitest';
import { artifactStore } from '../../src/api/artifactStore.ts';
import { inspect, verify } from '../../src/api/artifact.ts';
import { build, plan } from '../../src/api/build.ts';
import { UsageError } from '../../src/errors.ts';

/** What a caller in JavaScript may give by mistake. */
function untyped(value: unknown): never {
  return value as never;
}

const MANIFEST = ['compose.yaml'];

test.each<[string, () => unknown, string]>([
  [
    'a text for an array',
    () => build(untyped({ manifest: 'compose.yaml' })),
    'option manifest: expected an array of strings, found "compose.yaml"',
  ],
  ['the same in plan', () => plan(untyped({ manifest: 'compose.yaml' })), 'option manifest'],
  ['a number in an array', () => build(untyped({ manifest: [1] })), 'option manifest'],
  [
    'an array for a text',
    () => build(untyped({ manifest: MANIFEST, platform: ['linux/arm64'] })),
    'option platform: expected a string, found an array',
  ],
  [
    'a number for a version',
    () => build(untyped({ manifest: MANIFEST, artifactVersion: 1.1 })),
    'option artifactVersion: expected a string, found number',
  ],
  ['a text for a truth', () => build(untyped({ manifest: MANIFEST, delta: 'no' })), 'option delta'],
  [
    'null',
    () => build(untyped({ manifest: MANIFEST, sign: null })),
    'option sign: expected a string, found null',
  ],
  [
    'another choice',
    () => build(untyped({ manifest: MANIFEST, writer: 'tar' })),
    'option writer: expected one of auto, mender-artifact, embedded, found "tar"',
  ],
  ['one base for several', () => verify('a.mender', untyped({ base: 'b.mender' })), 'option base'],
  ['no file to inspect', () => inspect(untyped(undefined)), 'option file'],
  ['no file to verify', () => verify(untyped(7)), 'option file'],
  ['no token', () => artifactStore(untyped({ token: undefined })), 'option token'],
])('%s is a UsageError that names the option', async (_, call, message) => {
  const error: unknown = await Promise.resolve()
    .then(call)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  expect(String(error)).toContain(message);
});
