import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { appPayload } from '../../../src/mender/write/appPayload.ts';
import { buildArtifact } from '../../../src/mender/build.ts';
import type { ArtifactSpec } from '../../../src/mender/spec.ts';
import type { UserError } from '../../../src/errors.ts';
import { isAtLeast, toolVersion } from '../../../src/mender/tool/tool.ts';
import type { ToolVersion } from '../../../src/mender/tool/tool.ts';
import { canSign, toolArguments } from '../../../src/mender/tool/arguments.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { artifactSpec, context, fullLayer, payloadImage } from '../fixtures.ts';

const PATH = process.env['PATH'];
afterEach(() => {
  process.env['PATH'] = PATH;
});

const paths = { output: 'out.mender', files: ['a.gz', 'b.gz'], metaData: 'meta.json', scripts: [] };

function commandLine(version: ToolVersion, more: Partial<ArtifactSpec> = {}): string {
  const spec = artifactSpec([], more);
  const compression = spec.compression === 'auto' ? 'lzma' : spec.compression;
  return toolArguments(spec, appPayload(spec), compression, version, paths).join(' ');
}

describe('toolArguments', () => {
  it.each<[ToolVersion, Partial<ArtifactSpec>, string[], string[]]>([
    [
      [3, 9, 0],
      {},
      ['--device-type edge-device', '--compression lzma'],
      ['--no-progress', '--compatible-types'],
    ],
    [[4, 1, 0], {}, ['--device-type edge-device', '--no-progress'], ['--compatible-types']],
    [[4, 3, 0], {}, ['--compatible-types edge-device', '--no-progress'], ['--device-type']],
    [[4, 4, 0], { compression: 'zstd' }, ['--compression zstd_better'], []],
    [[3, 9, 0], { deviceTypes: ['a b', 'c'] }, ['--device-type a b --device-type c'], []],
    [[3, 9, 0], { dependsOnVersion: '1:0' }, ['--depends rootfs-image.shop.version:1:0'], []],
    [[3, 9, 0], { dependsOnArtifactName: 'old' }, ['--artifact-name-depends old'], []],
    [
      [3, 9, 0],
      { softwareFilesystem: 'data' },
      ['--software-filesystem data', '--clears-provides data.shop.*'],
      [],
    ],
    [[3, 9, 0], { signKey: 'k.pem' }, ['--key k.pem'], []],
    [[3, 9, 0], { extraArguments: ['--depends-groups', 'a b'] }, ['lzma --depends-groups a b'], []],
  ])('for %j and %j', (version, more, wanted, unwanted) => {
    const line = commandLine(version, more);
    for (const text of wanted) expect(line).toContain(text);
    for (const text of unwanted) expect(line).not.toContain(text);
  });

  it('says which compression the installed version can not do', () => {
    expect(() => commandLine([3, 9, 0], { compression: 'zstd' })).toThrow(
      "mender-artifact 3.9.0 can't compress with zstd",
    );
  });

  it('refuses a name that mender-artifact would split', () => {
    expect(() => commandLine([3, 9, 0], { softwareName: 'a:b', dependsOnVersion: '1' })).toThrow('colon');
  });

  it.each<[ToolVersion, string, boolean]>([
    [[3, 9, 0], 'RSA PRIVATE KEY', true],
    [[3, 9, 0], 'EC PRIVATE KEY', true],
    [[3, 10, 0], 'PRIVATE KEY', false],
    [[3, 10, 1], 'PRIVATE KEY', true],
    [[4, 4, 0], 'EC PARAMETERS', false],
  ])('knows that %j with a key that begins with %s: %s', (version, block, able) => {
    expect(canSign(version, block)).toBe(able);
  });

  it.each<[ToolVersion, ToolVersion, boolean]>([
    [[3, 10, 0], [3, 9, 0], true],
    [[3, 9, 0], [3, 9, 0], true],
    [[3, 9, 9], [3, 10, 0], false],
    [[4, 0, 0], [3, 10, 1], true],
  ])('compares %j with %j', (version, least, expected) => {
    expect(isAtLeast(version, least)).toBe(expected);
  });
});

/** The path of a new key where one is asked for. */
function keyOf({ signKey }: Partial<ArtifactSpec>): Partial<ArtifactSpec> {
  if (signKey === undefined) return {};
  const path = join(temporaryFolder(), 'key.pem');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { signKey: path };
}

/** Puts a program called mender-artifact on PATH. */
function install(script: string): void {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'mender-artifact'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'mender-artifact'), 0o755);
  process.env['PATH'] = `${folder}:/usr/bin:/bin`;
}

const says = (version: string, then: string): string =>
  `if [ "$1" = --version ]; then echo "mender-artifact version ${version}"; exit; fi\n${then}`;

/** Copies the meta-data to where the artifact is to be. */
const BROKEN =
  'while [ $# -gt 0 ]; do [ "$1" = --output-path ] && o=$2; [ "$1" = --meta-data ] && m=$2; shift; done; cp "$m" "$o"';

describe('buildArtifact', () => {
  it.each<[string, () => void, Partial<ArtifactSpec>, string]>([
    ['mender-artifact where it is installed', () => undefined, { writer: 'auto' }, 'mender-artifact'],
    [
      'the embedded writer if it is not installed',
      () => (process.env['PATH'] = '/nowhere'),
      { writer: 'auto' },
      'embedded',
    ],
    ['the embedded writer when told so', () => undefined, { writer: 'embedded' }, 'embedded'],
    [
      'the embedded writer where mender-artifact can not read the key',
      () => install(says('3.9.0', '')),
      { writer: 'auto', signKey: 'PKCS#8' },
      'embedded',
    ],
  ])('uses %s', async (_what, prepare, more, expected) => {
    prepare();
    const folder = temporaryFolder();
    const spec = artifactSpec([payloadImage('web', [fullLayer(folder, 'a', 'one')])], {
      ...more,
      ...keyOf(more),
      compression: 'auto',
    });
    const summary = await buildArtifact(spec, join(folder, 'out.mender'), context);
    expect(summary).toMatchObject({ writer: expected, compression: 'lzma' });
  });

  it.each<[string, () => void, Partial<ArtifactSpec>, string, string]>([
    ['is missing', () => (process.env['PATH'] = '/nowhere'), {}, 'ToolError', 'not on PATH'],
    ['is too old', () => install(says('3.4.0', '')), {}, 'UnsupportedError', '3.4.0 is too old'],
    ['tells no version', () => install('echo hello'), {}, 'ToolError', 'hello'],
    [
      'fails',
      () => install(says('3.9.0', 'echo "no space left" >&2; exit 1')),
      {},
      'ToolError',
      'no space left',
    ],
    [
      'fails and exits with 0',
      () => install(says('3.9.0', 'echo "bad flag" >&2')),
      {},
      'ToolError',
      'bad flag',
    ],
    ['writes something else', () => install(says('3.9.0', BROKEN)), {}, 'ToolError', 'a broken artifact'],
    [
      'can not read the key',
      () => install(says('3.9.0', '')),
      { signKey: 'PKCS#8' },
      'UnsupportedError',
      "3.9.0 can't read the signing key",
    ],
    ['knows no zstd', () => install(says('3.9.0', '')), { compression: 'zstd' }, 'UnsupportedError', 'zstd'],
  ])('leaves nothing behind where mender-artifact %s', async (_what, prepare, more, name, message) => {
    const folder = temporaryFolder();
    const out = join(folder, 'out');
    const spec = artifactSpec([payloadImage('web', [fullLayer(folder, 'a', 'one')])], {
      writer: 'mender-artifact',
      ...more,
      ...keyOf(more),
    });
    prepare();
    const failed = buildArtifact(spec, join(out, 'x.mender'), context);
    await expect(failed).rejects.toMatchObject({ name, message: expect.stringContaining(message) as string });
    expect(readdirSync(folder).includes('out') ? readdirSync(out) : []).toEqual([]);
  });

  it.each([
    [
      'an argument after --',
      ['--foo'],
      'flag provided but not defined: -foo',
      'check the arguments after --',
    ],
    [
      'a flag twice',
      ['-f', 'x'],
      'Cannot use two forms of the same flag: f file',
      'check the arguments after --',
    ],
  ])('the real one fails in one line for %s', async (_, extraArguments, message, hint) => {
    const spec = artifactSpec([], { writer: 'mender-artifact', extraArguments });
    const failed = await buildArtifact(spec, join(temporaryFolder(), 'x.mender'), context).catch(
      (error: unknown) => error as UserError,
    );
    expect(failed).toMatchObject({ name: 'ToolError', hint });
    expect((failed as UserError).message).toMatch(new RegExp(`^packing [^\n]*: [^\n]*${message}$`));
  });

  it('shows the size of the artifact at the end', async () => {
    const folder = temporaryFolder();
    let shown = 0;
    const progress = {
      start: () => ({ advance: (bytes: number) => (shown += bytes), end: () => undefined }),
    };
    const spec = artifactSpec([payloadImage('web', [fullLayer(folder, 'a', 'one')])], {
      writer: 'mender-artifact',
    });
    const { size } = await buildArtifact(spec, join(folder, 'x.mender'), { ...context, progress });
    expect(shown).toBe(size);
  });

  it('refuses arguments for mender-artifact where that does not write', async () => {
    const spec = artifactSpec([], { extraArguments: ['--depends-groups', 'a'] });
    const failed = buildArtifact(spec, join(temporaryFolder(), 'x.mender'), context);
    await expect(failed).rejects.toMatchObject({ name: 'UsageError' });
  });

  it('asks the real mender-artifact for its version', async () => {
    expect(isAtLeast((await toolVersion())!, [3, 9, 0])).toBe(true);
  });
});
