import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DeniedError, NotFoundError, UsageError } from '../../src/errors.ts';
import { uploadArtifact } from '../../src/pipeline/release/upload.ts';
import { createApi } from '../../src/server/api.ts';
import { deleteArtifact, changeDescription, listArtifacts } from '../../src/server/artifacts.ts';
import { createHttp } from '../../src/http/http.ts';
import { silentLog } from '../../src/io/log.ts';
import { deployArtifact } from '../../src/pipeline/release/deploy.ts';
import { abortDeployment, getDeployment, listDeployments } from '../../src/server/deployments.ts';
import { logIn } from '../../src/server/login.ts';
import { getRelease, listReleases, setNotes, setReleaseTags } from '../../src/server/releases.ts';
import { resolveArtifact } from '../../src/server/resolve.ts';
import { findToken, storeToken } from '../../src/server/token.ts';
import { listen } from '../helpers/listen.ts';
import { makeArtifact } from '../helpers/mender-artifact.ts';
import { menderServer } from '../helpers/menderServer/menderServer.ts';
import type { ServerOptions } from '../helpers/menderServer/state.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { callsOf, contextOf } from './fixture.ts';

async function filled(options: ServerOptions = {}) {
  const server = await menderServer({ pageSize: 2, ...options });
  const context = contextOf(server);
  for (const name of ['app-1', 'app-2', 'tool-1']) {
    await uploadArtifact({ path: makeArtifact({ name }), description: `${name}!` }, context);
  }
  await uploadArtifact({ path: makeArtifact({ name: 'app-1', deviceTypes: ['rpi4'] }) }, context);
  return { server, context, api: context.api };
}

describe('artifacts on the server', () => {
  test('all pages, and what fits', async () => {
    const { server, api } = await filled();
    const before = callsOf(server, /v2\/deployments\/artifacts/);
    const names = async (query: Parameters<typeof listArtifacts>[1]) =>
      (await listArtifacts(api, query)).map(({ name }) => name).sort();
    expect(await names({})).toEqual(['app-1', 'app-1', 'app-2', 'tool-1']);
    expect(callsOf(server, /v2\/deployments\/artifacts/) - before).toBe(2);
    expect(await names({ names: ['app-2', 'tool-1'] })).toEqual(['app-2', 'tool-1']);
    expect(await names({ names: ['app-*'] })).toEqual(['app-1', 'app-1', 'app-2']);
    expect(await names({ deviceType: 'rpi4' })).toEqual(['app-1']);
    expect(await names({ description: 'tool*' })).toEqual(['tool-1']);
    expect(await names({ names: ['none'] })).toEqual([]);
  });

  test('by id or by a name that only one has', async () => {
    const { api } = await filled();
    const one = await resolveArtifact(api, 'app-2');
    expect(await resolveArtifact(api, one.id)).toEqual(one);
    expect(await resolveArtifact(api, one.id.slice(0, 8))).toEqual(one);
    await expect(resolveArtifact(api, 'app-1')).rejects.toThrow(UsageError);
    await expect(resolveArtifact(api, 'app-*')).rejects.toThrow(NotFoundError);
    await expect(resolveArtifact(api, one.id.replace(/^./, 'z'))).rejects.toThrow(NotFoundError);
  });

  test('descriptions and removal, until the artifact is deployed', async () => {
    const { api, context } = await filled({ devices: [{ id: 'd', type: 'qemu', provides: {} }] });
    const { id } = await resolveArtifact(api, 'app-2');
    await changeDescription(api, id, 'new');
    expect((await resolveArtifact(api, id)).description).toBe('new');
    const target = { kind: 'all' } as const;
    await deployArtifact({ name: 'n', artifactName: 'app-2', target, force: false }, context);
    await expect(changeDescription(api, id, 'newer')).rejects.toThrow(/422/);
    await expect(deleteArtifact(api, id)).rejects.toThrow(
      /409: Artifact is used in active deployment \(request id/,
    );
    await deleteArtifact(api, (await resolveArtifact(api, 'tool-1')).id);
    await expect(resolveArtifact(api, 'tool-1')).rejects.toThrow(NotFoundError);
    expect((await listDeployments(api, { status: 'pending' })).map(({ name }) => name)).toEqual(['n']);
    expect(await listDeployments(api, { name: 'other' })).toEqual([]);
  });
});

test('an unknown deployment is told by its id', async () => {
  const { api } = await filled();
  const id = '00000000-0000-4000-8000-000000000000';
  for (const call of [getDeployment(api, id), abortDeployment(api, id)]) {
    await expect(call).rejects.toThrow(NotFoundError);
    await expect(call).rejects.toThrow(`no deployment on ${api.host} has the id ${id}`);
  }
});

test.each([
  ['read', getDeployment],
  ['aborted', abortDeployment],
])('a deployment that is %s at another server is not called unknown', async (_, ask) => {
  const host = await listen((request, response) => {
    request.resume();
    response.writeHead(404).end('404 page not found');
  });
  const api = createApi({ http: createHttp({ log: silentLog }), host, authorization: 'Bearer token' });
  await expect(ask(api, 'some-id')).rejects.toMatchObject({
    message: expect.stringMatching(/deployment some-id: .* answered 404: 404 page not found/) as string,
    hint: expect.stringContaining('is this the address of a Mender server?') as string,
  });
});

test('a server of before 2025, which has only the older lists', async () => {
  const { server, api, context } = await filled({ devices: [{ id: 'd', type: 'qemu', provides: {} }] });
  server.faults.plan(/^GET .*v2\/deployments\/(artifacts|deployments)$/, { kind: 'status', status: 404 }, 99);
  const names = async (query: Parameters<typeof listArtifacts>[1]) =>
    (await listArtifacts(api, query)).map(({ name }) => name).sort();
  expect(await names({})).toEqual(['app-1', 'app-1', 'app-2', 'tool-1']);
  expect(await names({ names: ['app-1', 'tool-1'], deviceType: 'qemu' })).toEqual(['app-1', 'tool-1']);
  expect(await names({ names: ['app*'], description: 'app-2!' })).toEqual(['app-2']);
  const wanted = { name: 'n', artifactName: 'app-2', target: { kind: 'all' }, force: false } as const;
  const { id } = await deployArtifact(wanted, context);
  expect(await deployArtifact(wanted, context)).toEqual({ id, joined: true });
  expect(await listDeployments(api, { name: 'm' })).toEqual([]);
});

describe('releases', () => {
  test('tags, notes and lists', async () => {
    const { api } = await filled();
    await setReleaseTags(api, 'app-1', ['stable', 'eu.1']);
    await setNotes(api, 'app-1', 'fixes the clock');
    const release = await getRelease(api, 'app-1');
    expect(release).toMatchObject({ tags: ['eu.1', 'stable'], notes: 'fixes the clock' });
    expect(release.artifacts).toHaveLength(2);
    expect((await listReleases(api)).map(({ name }) => name)).toEqual(['app-1', 'app-2', 'tool-1']);
    expect((await listReleases(api, { tags: ['stable', 'x'] })).map(({ name }) => name)).toEqual(['app-1']);
    expect((await listReleases(api, { name: 'tool' })).map(({ name }) => name)).toEqual(['tool-1']);
    await setReleaseTags(api, 'app-1', []);
    expect((await getRelease(api, 'app-1')).tags).toEqual([]);
    await expect(setReleaseTags(api, 'app-1', ['no spaces'])).rejects.toThrow(UsageError);
    await expect(
      setReleaseTags(
        api,
        'app-1',
        Array.from({ length: 21 }, (_, i) => `t${i}`),
      ),
    ).rejects.toThrow(UsageError);
    await expect(setReleaseTags(api, 'none', ['t'])).rejects.toThrow(NotFoundError);
    await expect(setNotes(api, 'none', 't')).rejects.toThrow(NotFoundError);
  });
});

describe('tokens', () => {
  test('logging in, with a second factor', async () => {
    const server = await menderServer({ twoFactorCode: '123456' });
    const http = createHttp({ log: silentLog });
    const good = { user: 'user@example.com', password: 'correct horse', twoFactorCode: '123456' };
    expect(server.state.tokens).toContain(await logIn(http, server.url, good));
    const failed = async (more: object, hint: RegExp) => {
      const login = logIn(http, server.url, { ...good, ...more });
      await expect(login).rejects.toThrow(DeniedError);
      await expect(login).rejects.toMatchObject({ hint: expect.stringMatching(hint) as string });
    };
    await failed({ password: 'wrong' }, /check the user name/);
    await failed({ twoFactorCode: undefined }, /--2fa-code/);
    await failed({ twoFactorCode: '000000' }, /--2fa-code/);
  });

  test.each([
    ['"eyJ.a_b-c.d="', 'eyJ.a_b-c.d='],
    ['<html>\n<p>Welcome</p></html>', undefined],
    ['<html></html>', undefined],
    ['', undefined],
  ])('are told from other answers: %j', async (text, expected) => {
    const url = await listen((request, response) => {
      request.resume();
      response.end(text);
    });
    const http = createHttp({ log: silentLog });
    const token = logIn(http, url, { user: 'user@example.com', password: 'correct horse' });
    if (expected === undefined) await expect(token).rejects.toThrow(/expected a token/);
    else expect(await token).toBe(expected);
  });

  const HOST = 'https://mender.example';

  test('of login are used for their server only', async () => {
    const HOME = temporaryFolder();
    const path = join(HOME, '.cache', 'mender', 'authtoken');
    await storeToken(path, 'from.login', HOST);
    const other = 'https://evil.example';
    expect(await findToken({ HOME }, undefined, `${HOST}/`)).toMatchObject({ token: 'from.login' });
    expect(await findToken({ HOME }, undefined, other)).toBeUndefined();
    await expect(findToken({ HOME }, path, other)).rejects.toThrow(DeniedError);
    expect(statSync(`${path}.host`).mode & 0o777).toBe(0o600);
    expect(readFileSync(`${path}.host`, 'utf8')).not.toContain('from.login');
    // mender-cli has logged in elsewhere since: the user says where its token goes.
    writeFileSync(path, 'from.mender-cli');
    expect(await findToken({ HOME }, undefined, other)).toMatchObject({ token: 'from.mender-cli' });
  });

  test('are kept and found where mender-cli keeps its own', async () => {
    const HOME = temporaryFolder();
    const path = join(HOME, '.cache', 'mender', 'authtoken');
    expect(await findToken({ HOME }, undefined, HOST)).toBeUndefined();
    await storeToken(path, 'from.login', HOST);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toBe('from.login');
    const given = join(HOME, 'given');
    writeFileSync(given, 'from.file\n');
    expect(await findToken({ HOME }, undefined, HOST)).toEqual({ token: 'from.login', source: path });
    expect(await findToken({ HOME }, given, HOST)).toEqual({ token: 'from.file', source: given });
    const environment = { HOME, MENDER_PAT: ' pat ' };
    expect(await findToken(environment, given, HOST)).toEqual({ token: 'from.file', source: given });
    expect(await findToken(environment, undefined, HOST)).toEqual({ token: 'pat', source: 'MENDER_PAT' });
  });

  test.each([
    ['missing', undefined, NotFoundError, /no such file/],
    ['empty', '\n', UsageError, /expected a token, found nothing/],
    ['of several lines', 'a b\nc', UsageError, /expected a token on one line/],
  ])('a token file that is %s', async (_, content, type, message) => {
    const path = join(temporaryFolder(), 'token');
    if (content !== undefined) writeFileSync(path, content);
    await expect(findToken({}, path, HOST)).rejects.toThrow(type);
    await expect(findToken({}, path, HOST)).rejects.toThrow(message);
  });
});
