import { expect, test } from 'vitest';
import { artifactStore } from '../../src/api/artifactStore.ts';
import { inspect, verify } from '../../src/api/artifact.ts';
import { build, plan } from '../../src/api/build.ts';
import { report } from '../../src/api/report.ts';
import { containerLibrary } from '../../src/api/containerLibrary.ts';
import { starmap } from '../../src/api/destinationMaps.ts';
import { fleet, rollout } from '../../src/api/fleet.ts';
import { encodeVcdiff } from '../../src/api/vcdiff.ts';
import { UsageError } from '../../src/errors.ts';

/** What a caller in JavaScript may give by mistake. */
function untyped(value: unknown): never {
  return value as never;
}

const MANIFEST = ['compose.yaml'];
const store = artifactStore({ host: 'http://127.0.0.1:1', token: 'token' });
const library = containerLibrary({ address: 'http://127.0.0.1:1' });
const devices = fleet({ host: 'http://127.0.0.1:1', token: 'token' });
const KEY = { path: 'a/b/c', tag: '1', arch: 'amd64' };

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
    () => build(untyped({ manifest: MANIFEST, artifactVersion: ['1.0'] })),
    'option artifactVersion: expected a string, found an array',
  ],
  [
    'a number for platforms',
    () => build(untyped({ manifest: MANIFEST, platform: 64 })),
    'option platform: expected a string or an array of strings, found number',
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
  ['a number for the host', () => artifactStore(untyped({ host: 1, token: 'x' })), 'option host'],
  ['no file to add', () => store.add(untyped({})), 'option path: expected a string, found undefined'],
  ['a number for a reference', () => store.show(untyped(7)), 'option reference'],
  ['no rules', () => store.prune(untyped({ application: 'a', dryRun: true })), 'option rules'],
  ['a rule of texts', () => store.prune(untyped({ application: 'a', rules: [{ majors: '1' }] })), 'majors'],
  ['a text for a wait', () => store.watch(untyped({ id: 'x', timeoutMs: '5m' })), 'option timeoutMs'],
  ['no target', () => store.deploy(untyped({ name: 'a', artifactName: 'a' })), 'option target'],
  ['a text for names', () => store.list(untyped({ names: 'app' })), 'option names'],
  ['no tag', () => library.lookUp(untyped({ path: 'a/b/c', arch: 'amd64' })), 'option tag'],
  ['a number for a path', () => library.tags(untyped(1)), 'option path'],
  ['a number for an entity', () => library.quota(untyped(1)), 'option entity'],
  ['a text for tags', () => library.tag(KEY, untyped('stable')), 'option tags'],
  ['no address', () => containerLibrary(untyped({})), 'option address'],
  ['no token of a fleet', () => fleet(untyped({})), 'option token: expected a string, found undefined'],
  ['a number for a group', () => devices.devices(untyped({ group: 1 })), 'option group'],
  [
    'a text for ids',
    () => devices.devices(untyped({ ids: 'd1' })),
    'option ids: expected an array of strings',
  ],
  [
    'a text for filters',
    () => devices.devices(untyped({ filters: 'all' })),
    'option filters: expected an array of',
  ],
  ['a filter that is no object', () => devices.devices(untyped({ filters: [1] })), 'filters.0: expected an'],
  ['no id of a device', () => devices.device(untyped(undefined)), 'option id: expected a string'],
  ['no application', () => devices.status(untyped({})), 'option application'],
  ['no request', () => devices.status(untyped(undefined)), 'option application'],
  ['another fallback', () => rollout(untyped({ manifest: MANIFEST, fallback: 'delta' })), 'option fallback'],
  ['a number for a map', () => starmap(untyped({ local: 1 })), 'option local'],
  ['a folder that is no text', () => plan({ manifest: MANIFEST }, untyped({ folder: 1 })), 'option folder'],
  ['a log without warnings', () => build({ manifest: MANIFEST }, untyped({ log: {} })), 'option log'],
  ['no file to report on', () => report([]), 'option files'],
  ['a number for options', () => build(untyped(7)), 'option options: expected an object, found number'],
  ['another encoder', () => encodeVcdiff('a', 'b', 'c', untyped({ encoder: 'gzip' })), 'option encoder'],
])('%s is a UsageError that names the option', async (_, call, message) => {
  const error: unknown = await Promise.resolve()
    .then(call)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  expect(String(error)).toContain(message);
});

const EXTRA = { bases: ['b.mender'] };

test.each<[string, () => unknown]>([
  ['plan', () => plan({ manifest: MANIFEST, ...EXTRA })],
  ['build', () => build({ manifest: MANIFEST, ...EXTRA })],
  ['build, in the run', () => build({ manifest: MANIFEST }, untyped(EXTRA))],
  ['inspect', () => inspect('a.mender', untyped(EXTRA))],
  ['verify', () => verify('a.mender', untyped(EXTRA))],
  ['report', () => report(['a.mender'], untyped(EXTRA))],
  ['artifactStore', () => artifactStore({ token: 'token', ...EXTRA })],
  ['artifactStore.list', () => store.list(untyped(EXTRA))],
  ['artifactStore.add', () => store.add({ path: 'a.mender', ...EXTRA })],
  ['artifactStore.replace', () => store.replace('a', { path: 'a.mender', ...EXTRA })],
  ['artifactStore.prune', () => store.prune({ application: 'a', rules: [], dryRun: true, ...EXTRA })],
  ['containerLibrary', () => containerLibrary({ address: 'http://127.0.0.1:1', ...EXTRA })],
  ['containerLibrary.download', () => library.download(KEY, 'x', untyped(EXTRA))],
  ['containerLibrary.delete', () => library.delete({ ...KEY, ...EXTRA })],
  ['fleet', () => fleet({ token: 'token', ...EXTRA })],
  ['fleet, in the run', () => fleet({ token: 'token' }, untyped(EXTRA))],
  ['fleet.devices', () => devices.devices({ group: 'a', ...EXTRA })],
  ['fleet.status', () => devices.status({ application: 'a', ...EXTRA })],
  ['rollout', () => rollout({ manifest: MANIFEST, ...EXTRA })],
  ['starmap', () => starmap({ local: [], ...EXTRA })],
  ['encodeVcdiff', () => encodeVcdiff('a', 'b', 'c', untyped(EXTRA))],
])('an option that %s does not have is a UsageError that names it', async (_, call) => {
  const error: unknown = await Promise.resolve()
    .then(call)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  expect(error).toMatchObject({ message: 'unknown option bases', hint: 'docs/api.txt lists the options' });
});
