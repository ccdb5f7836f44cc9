import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { artifactsCommand } from '../../src/commands/artifacts/artifacts.ts';
import { parseQuery } from '../../src/commands/artifacts/delete.ts';
import type { Command } from '../../src/commands/terminal/command.ts';
import { deployCommand } from '../../src/commands/deploy.ts';
import { deploymentsCommand } from '../../src/commands/deployments.ts';
import { parseDuration } from '../../src/commands/terminal/format.ts';
import { loginCommand } from '../../src/commands/user/login.ts';
import { readPassword } from '../../src/commands/terminal/password.ts';
import { deployWords } from '../../src/commands/options/deploy.ts';
import { releasesCommand } from '../../src/commands/releases.ts';
import { serverHost } from '../../src/commands/options/server.ts';
import { warnOfClearText } from '../../src/server/host.ts';
import { writeDocument } from '../../src/cache/documents.ts';
import { createLog } from '../../src/io/log.ts';
import { uploadCommand } from '../../src/commands/upload.ts';
import { DeniedError, UsageError } from '../../src/errors.ts';
import { makeArtifact } from '../helpers/mender-artifact.ts';
import { runCommand } from '../helpers/menderServer/command.ts';
import type { RunOptions } from '../helpers/menderServer/command.ts';
import { simulateDevice } from '../helpers/menderServer/device.ts';
import { menderServer } from '../helpers/menderServer/menderServer.ts';
import type { Device, ServerOptions } from '../helpers/menderServer/state.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const DEVICES: Device[] = ['d1', 'd2'].map((id) => ({ id, type: 'qemu', group: 'staging', provides: {} }));

async function prepared(options: ServerOptions = {}) {
  const server = await menderServer({ devices: DEVICES, ...options });
  const run = (command: Command, argv: string, more: RunOptions = {}) =>
    runCommand(
      server,
      command,
      argv.split(' ').map((word) => word.replaceAll('_', ' ')),
      more,
    );
  const uploaded = async (name: string, more: { deviceTypes?: string[] } = {}) => {
    const path = makeArtifact({ name, ...more });
    const { stdout, error } = await run(uploadCommand, `upload ${path}`.replace('upload ', ''), {
      json: true,
    });
    if (error !== undefined) throw error;
    return { path, id: (JSON.parse(stdout) as { id: string }).id };
  };
  return { server, run, uploaded };
}

test.each([
  [
    { deviceGroup: 'field units', waitForDeploy: false },
    " --device-group 'field units' --no-wait-for-deploy",
  ],
  [{ devices: ['a', 'b,c'], retries: 2 }, " --devices a --devices 'b,c' --retries 2"],
  [{ allDevices: true, phases: '[{"batch_size": 10}]' }, ` --all-devices --phases '[{"batch_size": 10}]'`],
])('the command that tries a deployment again has all its options: %j', (flags, words) => {
  expect(deployWords(flags)).toBe(words);
});

describe('upload', () => {
  test('says what it did, for people and as JSON', async () => {
    const { server, run } = await prepared();
    const path = makeArtifact({ name: 'app-1' });
    const first = await run(uploadCommand, `${path} --description fixes_all`);
    expect(first.error).toBeUndefined();
    const [{ id, size, description }] = [...server.state.artifacts.values()] as unknown as [
      { id: string; size: number; description: string },
    ];
    expect(description).toBe('fixes all');
    expect(first.stdout).toMatch(
      new RegExp(
        `^uploaded app-1 \\(.* KB\\) to ${server.url} as artifact ${id}\\n` +
          'next: mender-docker-delta deploy app-1 --device-group GROUP$',
      ),
    );
    expect((await run(uploadCommand, path)).stdout).toMatch(/ already, as artifact /);
    const json = await run(uploadCommand, path, { json: true });
    expect(JSON.parse(json.stdout)).toEqual({
      host: server.url,
      id,
      name: 'app-1',
      size,
      outcome: 'present',
    });
  });

  test('finishes no upload that a note in a cache asks for, and says so', async () => {
    const { server, run } = await prepared();
    const cache = temporaryFolder();
    const note = { host: server.url, tenant: '', location: `${server.url}/evil.mender` };
    mkdirSync(join(cache, 'v1/uploads'), { recursive: true });
    await writeDocument(join(cache, 'v1/uploads', `${'a'.repeat(64)}.json`), note);
    const { log, error } = await run(
      uploadCommand,
      `${makeArtifact({ name: 'app-1' })} --cache-dir ${cache}`,
    );
    expect(error).toBeUndefined();
    expect(log).toContain(`ignoring the notes of interrupted uploads in ${cache}/v1/uploads`);
    expect(server.calls.filter((call) => call.startsWith('POST'))).toHaveLength(1);
  });

  test('without a token it sends nothing and says how to get one', async () => {
    const { server, run } = await prepared();
    const { error } = await run(uploadCommand, makeArtifact({ name: 'app-1' }), {
      environment: { HOME: temporaryFolder() },
    });
    expect(error).toBeInstanceOf(DeniedError);
    expect(error?.hint).toMatch(/MENDER_PAT.*--token-file.*login/);
    expect(server.calls).toEqual([]);
  });
});

describe('the password', () => {
  test('is the first line of stdin', async () => {
    expect(await readPassword('Password: ', Readable.from(['correct horse\n', 'more\n']))).toBe(
      'correct horse',
    );
    await expect(readPassword('Password: ', Readable.from(['\n']))).rejects.toThrow(UsageError);
  });

  test('is asked for on a terminal, and not shown', async () => {
    const [input, shown] = [new PassThrough(), [] as string[]];
    const terminal = Object.assign(input, { isTTY: true, setRawMode: () => terminal });
    const screen = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        shown.push(chunk.toString());
        done();
      },
    });
    const password = readPassword('Password: ', terminal, screen);
    input.write('secret\r');
    expect(await password).toBe('secret');
    expect(shown.join('')).toBe('Password: \n');
  });
});

describe('login', () => {
  test('keeps the token for the other commands', async () => {
    const { server, run } = await prepared({ twoFactorCode: '123456' });
    const HOME = temporaryFolder();
    const environment = { HOME, XDG_CACHE_HOME: join(HOME, '.cache') };
    const login = 'login --username user@example.com --password correct_horse'.replace('login ', '');
    expect((await run(loginCommand, login, { environment })).error?.hint).toMatch(/--2fa-code/);
    const { stdout, error, all } = await run(loginCommand, `${login} --2fa-code 123456`, { environment });
    expect(error).toBeUndefined();
    const path = join(HOME, '.cache/mender/authtoken');
    expect(stdout).toBe(
      `logged in to ${server.url}, which other commands use from now on; the token is in ${path}`,
    );
    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const secret of [readFileSync(path, 'utf8'), 'correct horse', 'Y29ycmVjdCBob3JzZ'])
      expect(all).not.toContain(secret);
    expect((await run(artifactsCommand, 'list', { environment })).stdout).toBe('no artifacts');
  });
});

describe('deploy', () => {
  test('waits, shows the counters and a table, and succeeds', async () => {
    const { server, run, uploaded } = await prepared();
    await uploaded('app-1');
    for (const device of DEVICES) simulateDevice(server, device, { outcome: 'success' });
    const done = await run(deployCommand, 'app-1 -g staging --poll-interval 0.02s');
    expect(done.error).toBeUndefined();
    expect(done.stdout).toMatch(/^DEVICE +STATUS/);
    expect(done.stdout).toMatch(/\nd1 +success/);
    expect(done.stdout).toMatch(/\ndeployment [0-9a-f-]{36}: succeeded \(2 success\)$/);
    expect(done.log).toMatch(/waiting up to 1h for deployment/);
    expect(done.log).toMatch(/2 success/);
  });

  test('fails with exit code 9 and the log of the failed device', async () => {
    const { server, run, uploaded } = await prepared();
    await uploaded('app-1');
    simulateDevice(server, DEVICES[0]!, { outcome: 'success' });
    simulateDevice(server, DEVICES[1]!, { outcome: 'failure', log: ['no space left'] });
    const done = await run(deployCommand, 'app-1 --devices d1,d2 --poll-interval 0.02s', { json: true });
    expect(done.error).toMatchObject({
      exitCode: 9,
      message: expect.stringContaining('1 of 2 devices') as string,
    });
    const { outcome, logs, devices, id } = JSON.parse(done.stdout) as Record<string, never>;
    expect({ outcome, logs, devices }).toMatchObject({
      outcome: { kind: 'failed' },
      logs: { d2: expect.stringContaining('no space left') as string },
    });
    const shown = await run(deploymentsCommand, `show ${String(id)}`);
    expect(shown.stdout).toMatch(/status: finished\ndevices|log of d2:\n {2}.*no space left/);
    expect((await run(deploymentsCommand, `watch ${String(id)}`)).error?.exitCode).toBe(9);
  });

  test('ends without waiting, is found running, watched and aborted', async () => {
    const { run, uploaded } = await prepared();
    await uploaded('app-1');
    const start = 'app-1 --all-devices --no-wait-for-deploy --deployment-name nightly';
    const { id } = JSON.parse((await run(deployCommand, start, { json: true })).stdout) as { id: string };
    expect((await run(deployCommand, start)).log).toContain(`deployment ${id} was running already`);
    const listed = await run(deploymentsCommand, 'list --status pending');
    expect(listed.stdout).toMatch(new RegExp(`${id} +nightly +app-1 +pending +2`));
    const late = await run(deploymentsCommand, `watch ${id} --wait-timeout 0s`);
    expect(late.error).toMatchObject({
      exitCode: 9,
      message: expect.stringMatching(/did not start/) as string,
    });
    for (const short of ['latest', id.slice(0, 8)]) {
      expect((await run(deploymentsCommand, `show ${short}`)).stdout).toContain(`id: ${id}`);
    }
    expect((await run(deploymentsCommand, 'show 00000000')).error).toMatchObject({
      exitCode: 3,
      message: expect.stringContaining('there is no deployment 00000000') as string,
    });
    expect((await run(deploymentsCommand, `abort ${id}`)).stdout).toBe(`aborted deployment ${id}`);
    expect((await run(deploymentsCommand, `abort ${id}`)).stdout).toBe(
      `deployment ${id} is finished already`,
    );
  });

  test.each([
    ['app-1', /expected one of --device-group/],
    ['app-1 -g a --all-devices', /expected one of --device-group/],
    ['app-1 -g a --phases no', /--phases: expected JSON/],
    ['app-1 -g a --phases {}', /--phases: expected a JSON list/],
    ['app-1 -g a --update-control-map []', /--update-control-map: expected a JSON object/],
    ['app-1 -g staging --wait-timeout soon', /--wait-timeout "soon": expected a duration/],
  ])('refuses %s', async (argv, message) => {
    const { server, run, uploaded } = await prepared();
    await uploaded('app-1');
    const { error } = await run(deployCommand, argv);
    expect(error?.message).toMatch(message);
    expect(error).toBeInstanceOf(UsageError);
    expect(server.state.deployments.size).toBe(0);
  });

  test.each([
    ['compose.yaml', 'build compose.yaml --device-group GROUP; for devices of several versions: '],
    ['./shop', 'build ./shop --device-group GROUP'],
    ['.', 'rollout . --device-group GROUP'],
    ['a b.mender', "upload 'a b.mender'"],
  ])('says what to do with the path %s', async (name, hint) => {
    const { server, run } = await prepared();
    const folder = temporaryFolder();
    for (const path of ['compose.yaml', 'a b.mender']) writeFileSync(join(folder, path), '');
    mkdirSync(join(folder, 'shop'));
    const { error } = await run(deployCommand, `${name.replaceAll(' ', '_')} -g staging`, { folder });
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({
      message: expect.stringContaining('found a path') as string,
      hint: expect.stringContaining(`mender-docker-delta ${hint}`) as string,
    });
    expect(server.calls).toEqual([]);
  });

  test('an interrupted wait says how to go on', async () => {
    const { server, run, uploaded } = await prepared();
    await uploaded('app-1');
    const interruption = new AbortController();
    const going = run(deployCommand, 'app-1 -g staging --poll-interval 1h', { signal: interruption.signal });
    await expect.poll(() => server.calls.some((call) => call.endsWith('/statistics'))).toBe(true);
    interruption.abort(new Error('interrupted'));
    const { error, log } = await going;
    expect(error?.message).toBe('interrupted');
    expect(log).toMatch(/is still running; to wait for it: mender-docker-delta deployments watch/);
  });

  test('a wait that ends with the life of the token says how to go on', async () => {
    const { server, run, uploaded } = await prepared();
    await uploaded('app-1');
    server.faults.plan(/statistics$/, { kind: 'status', status: 401 });
    const { error, log } = await run(deployCommand, 'app-1 -g staging');
    expect(error).toBeInstanceOf(DeniedError);
    expect(log).toMatch(/is still running; to wait for it: mender-docker-delta deployments watch/);
  });
});

describe('artifacts', () => {
  test('list, show, head', async () => {
    const { server, run, uploaded } = await prepared({ pageSize: 1 });
    const { id, path } = await uploaded('app-1');
    await uploaded('app-2', { deviceTypes: ['rpi4', 'rpi5'] });
    const names = async (argv: string) =>
      (JSON.parse((await run(artifactsCommand, argv, { json: true })).stdout) as { name: string }[]).map(
        ({ name }) => name,
      );
    expect(await names('list --sort name:desc')).toEqual(['app-2', 'app-1']);
    expect(await names('list --sort modified --name app-*')).toEqual(['app-1', 'app-2']);
    expect(await names('list --device-type rpi5')).toEqual(['app-2']);
    const table = (await run(artifactsCommand, 'list')).stdout.split('\n');
    expect(table[0]).toMatch(/^ID +NAME +DEVICE TYPES +SIZE +MODIFIED +DESCRIPTION$/);
    expect(table[2]).toMatch(/ app-2 +rpi4,rpi5 +.* KB /);
    server.state.artifacts.get(id)!.description = 'fixes the clock\nand more';
    expect((await run(artifactsCommand, 'list')).stdout).toMatch(/fixes the clock\n[0-9a-f-]{36} /);
    expect((await run(artifactsCommand, 'show app-1')).stdout).toContain(`id: ${id}\nname: app-1\n`);
    const head = await run(artifactsCommand, 'head app-1');
    expect(head.stdout).toContain(`id: ${id}\nname: app-1\nsize: ${statSync(path).size}\n`);
    for (const signature of server.storage.signatures()) expect(head.all).not.toContain(signature);
    expect((await run(artifactsCommand, 'head none')).error).toMatchObject({ exitCode: 3 });
    expect((await run(artifactsCommand, 'list --sort colour')).error).toBeInstanceOf(UsageError);
    expect((await run(artifactsCommand, 'list --name a* --name b')).error).toBeInstanceOf(UsageError);
    expect((await run(artifactsCommand, 'show')).error).toBeInstanceOf(UsageError);
  });

  test('download and update', async () => {
    const { run, uploaded } = await prepared();
    const { id, path } = await uploaded('app-1');
    const output = join(temporaryFolder(), 'copy.mender');
    const done = await run(artifactsCommand, `download app-1 -o ${output}`);
    expect(done.stdout).toMatch(/^downloaded app-1 \(.* KB\) to /);
    expect(readFileSync(output).equals(readFileSync(path))).toBe(true);
    const piped = await run(artifactsCommand, 'download app-1 -o -');
    expect(piped.error).toBeUndefined();
    expect(piped.bytes.equals(readFileSync(path))).toBe(true);
    expect((await run(artifactsCommand, `update ${id} --description better`)).stdout).toContain('app-1');
    expect((await run(artifactsCommand, 'show app-1')).stdout).toContain('description: better');
    expect((await run(artifactsCommand, `update ${id}`)).error).toBeInstanceOf(UsageError);
  });

  test('delete, one by one and by query', async () => {
    const { server, run, uploaded } = await prepared();
    for (const name of ['app-1', 'app-2', 'app-3', 'tool-1']) await uploaded(name);
    await run(deployCommand, 'app-2 --all-devices --no-wait-for-deploy');
    const left = () => [...server.state.artifacts.values()].map(({ name }) => name).sort();
    const dry = await run(artifactsCommand, 'delete --query name=app-* --dry-run');
    expect(dry.stdout.match(/would be deleted/g)).toHaveLength(3);
    expect(left()).toHaveLength(4);
    expect((await run(artifactsCommand, 'delete app-1 nothing')).error).toMatchObject({ exitCode: 3 });
    expect(left()).toHaveLength(4);
    const { stdout, error } = await run(artifactsCommand, 'delete --query name=app-*,device-type=qemu', {
      json: true,
    });
    expect(error?.message).toMatch(/409/);
    expect(
      (JSON.parse(stdout) as { name: string; result: string }[]).map(({ name, result }) => [name, result]),
    ).toEqual([
      ['app-1', 'deleted'],
      ['app-2', 'failed'],
      ['app-3', 'deleted'],
    ]);
    expect(left()).toEqual(['app-2', 'tool-1']);
    const short = [...server.state.artifacts.keys()].map((id) => id.slice(0, 8)).join(' ');
    server.calls.length = 0;
    await run(artifactsCommand, `delete ${short} --dry-run`);
    // One list for each name, and one for all ids that are not whole.
    expect(server.calls.filter((call) => /^GET .*\/v2\/deployments\/artifacts/.test(call))).toHaveLength(3);
    expect((await run(artifactsCommand, 'delete tool-1')).stdout).toMatch(/tool-1 +deleted/);
    for (const argv of ['delete', 'delete --query name=*', 'delete tool-1 --query name=x']) {
      expect((await run(artifactsCommand, argv)).error).toBeInstanceOf(UsageError);
    }
  });

  test.each(['', 'name=', 'name=*', 'name=**', 'name=app*,description=', 'colour=red', 'name', ','])(
    'the query %j is refused',
    (query) => expect(() => parseQuery(query)).toThrow(UsageError),
  );
});

describe('releases', () => {
  test('list, show, tag, notes', async () => {
    const { run, uploaded } = await prepared();
    const { id } = await uploaded('app-1');
    expect((await run(releasesCommand, 'tag app-1 stable eu')).stdout).toBe('tags of app-1: stable, eu');
    expect((await run(releasesCommand, 'notes app-1 fixes_the clock')).error).toBeUndefined();
    expect((await run(releasesCommand, 'list --tag eu')).stdout).toMatch(
      /app-1 +1 +eu,stable +\S+ +fixes the clock$/,
    );
    const shown = await run(releasesCommand, 'show app-1');
    expect(shown.stdout).toContain('notes: fixes the clock');
    expect(shown.stdout).toContain(id);
    // Without tags it only looks.
    expect((await run(releasesCommand, 'tag app-1')).stdout).toBe('tags of app-1: eu, stable');
    expect((await run(releasesCommand, 'tag app-1 x --clear')).error).toBeInstanceOf(UsageError);
    expect((await run(releasesCommand, 'tag app-1 --clear')).stdout).toBe('tags of app-1: none');
    expect((await run(releasesCommand, 'show none')).error).toMatchObject({ exitCode: 3 });
    expect((await run(releasesCommand, 'notes app-1')).error).toBeInstanceOf(UsageError);
  });
});

describe('options', () => {
  test.each([
    [undefined, 'https://hosted.mender.io'],
    ['eu.hosted.mender.io', 'https://eu.hosted.mender.io'],
    ['http://localhost:8080/', 'http://localhost:8080'],
    [' https://host/mender/ \n', 'https://host/mender'],
    ['https://me:secret@host', undefined],
    ['https://:secret@host', undefined],
    ['https://host/ui/#/devices', undefined],
    ['https://host /', undefined],
    ['ftp://host', undefined],
    ['https://host?x=1', undefined],
  ])('the host %j', (menderHost, expected) => {
    const host = () => serverHost(menderHost === undefined ? {} : { menderHost });
    if (expected === undefined) expect(host).toThrow(UsageError);
    else expect(host()).toBe(expected);
  });

  test.each([
    ['https://host', 0],
    ['http://localhost:8080', 0],
    ['http://127.0.0.1', 0],
    ['http://host/mender', 1],
  ])('warns of credentials that go out unencrypted: %s', (host, count) => {
    const lines: string[] = [];
    warnOfClearText(
      host,
      createLog('warning', (line) => void lines.push(line)),
    );
    expect(lines).toHaveLength(count);
  });

  test.each([
    ['90', 90_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['', undefined],
    ['-1s', undefined],
    ['1w', undefined],
  ])('the duration %j', (text, expected) => {
    if (expected === undefined) expect(() => parseDuration(text, '--x')).toThrow(UsageError);
    else expect(parseDuration(text, '--x')).toBe(expected);
  });
});

describe('no output shows a secret', () => {
  const LEVELS = ['error', 'warning', 'info', 'debug'] as const;

  test.each(LEVELS)('at level %s, on success and on failure', async (level) => {
    const { server, run } = await prepared({ directUpload: true });
    const folder = temporaryFolder();
    const [direct, path, output] = [
      makeArtifact({ name: 'app-1' }),
      makeArtifact({ name: 'app-2' }),
      join(folder, 'o'),
    ];
    const outputs: string[] = [];
    const go = async (command: Command, argv: string) => {
      const { all } = await run(command, argv, { level });
      outputs.push(all);
    };
    server.faults.plan(/^PUT storage/, { kind: 'cutBefore' });
    await go(uploadCommand, `${direct} --direct-upload`);
    server.faults.plan(/^POST .*\/artifacts$/, { kind: 'status', status: 500 });
    server.faults.plan(/^GET .*v2\/deployments\/artifacts/, { kind: 'status', status: 401 });
    await go(uploadCommand, path);
    await go(uploadCommand, path);
    server.faults.plan(/^GET storage/, { kind: 'status', status: 403 });
    await go(artifactsCommand, `download app-1 -o ${output}`);
    server.faults.plan(/^GET storage/, { kind: 'cutResponse', bytes: 100 });
    server.faults.plan(/^GET storage/, { kind: 'cutBefore' });
    await go(artifactsCommand, `download app-1 -o ${output}`);
    await go(artifactsCommand, 'head app-1');
    await go(deployCommand, 'app-1 -g nobody');
    writeFileSync(join(folder, 'token'), 'a wrong token');
    await go(artifactsCommand, `list --token-file ${join(folder, 'token')}`);
    server.faults.plan(/storage$/, { kind: 'cutBefore' });
    await go(uploadCommand, makeArtifact({ name: 'app-3' }));
    expect(server.storage.signatures().length).toBeGreaterThan(3);
    expect(readdirSync(folder)).toContain('o');
    for (const secret of [server.token, ...server.storage.signatures(), 'a wrong token']) {
      expect(outputs.join('\n')).not.toContain(secret);
    }
  });
});
