import {
  appendFileSync,
  copyFileSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  DeniedError,
  IntegrityError,
  NetworkError,
  NotFoundError,
  UnsupportedError,
  UsageError,
} from '../../src/errors.ts';
import { uploadArtifact } from '../../src/pipeline/release/upload.ts';
import { makeArtifact } from '../helpers/mender-artifact.ts';
import { menderServer } from '../helpers/menderServer/menderServer.ts';
import { fileOf } from '../helpers/menderServer/state.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { callsOf, contextOf } from './fixture.ts';

const POST = /^POST .*\/artifacts$/;

describe('uploading', () => {
  test('brings the exact bytes, and the second time nothing', async () => {
    const server = await menderServer();
    const path = makeArtifact({
      name: 'app-1',
      deviceTypes: ['a', 'b'],
      depends: { 'app.version': '0' },
      payload: 500_000,
    });
    const context = contextOf(server);
    const request = { path, description: 'an "app"; naïve\r\n--x' };
    const first = await uploadArtifact(request, context);
    const [stored] = [...server.state.artifacts.values()];
    expect(first).toEqual({ id: stored!.id, name: 'app-1', size: statSync(path).size, outcome: 'uploaded' });
    expect(stored!.description).toBe(request.description);
    expect(readFileSync(fileOf(server.state, stored!.id)).equals(readFileSync(path))).toBe(true);
    expect(await uploadArtifact(request, context)).toEqual({ ...first, outcome: 'present' });
    expect(callsOf(server, POST)).toBe(1);
  });

  test.each([
    ['another file of the same name and depends', { deviceTypes: ['qemu'] }, UsageError],
    ['one that shares a device type', { deviceTypes: ['x', 'qemu'] }, UsageError],
    ['other device types', { deviceTypes: ['x'] }, undefined],
    ['other depends', { deviceTypes: ['qemu'], depends: { 'app.version': '0' } }, undefined],
  ])('sees a conflict before the first byte: %s', async (_, more, expected) => {
    const server = await menderServer();
    const context = contextOf(server);
    const { id } = await uploadArtifact({ path: makeArtifact({ name: 'app-1' }) }, context);
    const second = uploadArtifact({ path: makeArtifact({ name: 'app-1', ...more }) }, context);
    if (expected === undefined) await expect(second).resolves.toMatchObject({ outcome: 'uploaded' });
    else await expect(second).rejects.toThrow(id);
    expect(callsOf(server, POST)).toBe(expected === undefined ? 2 : 1);
  });

  test('sees that the storage is too full before the first byte', async () => {
    const server = await menderServer({ storageLimit: 3000 });
    const upload = uploadArtifact({ path: makeArtifact({ name: 'app-1' }) }, contextOf(server));
    await expect(upload).rejects.toThrow(UnsupportedError);
    await expect(upload).rejects.toThrow(/room for 3000 \(limit 3000\)/);
    expect(callsOf(server, POST)).toBe(0);
  });

  test.each([
    ['the connection breaks before', { kind: 'cutBefore' }, 2],
    ['the connection breaks in the middle', { kind: 'cutRequest', bytes: 100_000 }, 2],
    ['the connection breaks after the server stored it', { kind: 'cutAfter' }, 1],
    ['503', { kind: 'status', status: 503 }, 2],
    ['429 with Retry-After', { kind: 'status', status: 429, headers: { 'retry-after': '0' } }, 2],
    ['a slow answer', { kind: 'slow', milliseconds: 100 }, 1],
  ] as const)('makes one artifact in spite of %s', async (_, fault, posts) => {
    const server = await menderServer();
    server.faults.plan(POST, fault);
    const path = makeArtifact({ name: 'app-1', payload: 400_000 });
    const report = await uploadArtifact({ path }, contextOf(server));
    expect([...server.state.artifacts.keys()]).toEqual([report.id]);
    expect(callsOf(server, POST)).toBe(posts);
  });

  test('gives up after some attempts, with the server’s words', async () => {
    const server = await menderServer();
    server.faults.plan(POST, { kind: 'status', status: 500, message: 'disk on fire' }, 9);
    const upload = uploadArtifact({ path: makeArtifact({ name: 'app-1' }) }, contextOf(server));
    await expect(upload).rejects.toThrow(NetworkError);
    await expect(upload).rejects.toThrow(/500: disk on fire \(request id [0-9a-f-]{36}\)/);
    expect(callsOf(server, POST)).toBe(3);
  });

  test('leaves a server alone that asks for a long pause', async () => {
    const server = await menderServer();
    server.faults.plan(POST, { kind: 'status', status: 429, headers: { 'retry-after': '3600' } });
    const upload = uploadArtifact({ path: makeArtifact({ name: 'app-1' }) }, contextOf(server));
    await expect(upload).rejects.toThrow(NetworkError);
    expect(callsOf(server, POST)).toBe(1);
  });

  test('a conflict that shows up only in the answer is success for this very file', async () => {
    const server = await menderServer();
    const path = makeArtifact({ name: 'app-1' });
    const context = contextOf(server);
    const { id } = await uploadArtifact({ path }, context);
    // The first look misses it, as when another run is faster.
    const hidden = server.state.artifacts.get(id)!;
    server.state.artifacts.delete(id);
    const original = context.api.call.bind(context.api);
    const api = {
      ...context.api,
      call: (request: Parameters<typeof original>[0]) => {
        if (request.method === 'POST') server.state.artifacts.set(id, hidden);
        return original(request);
      },
    };
    expect(await uploadArtifact({ path }, { ...context, api })).toMatchObject({ id });
    expect(server.state.artifacts.size).toBe(1);
  });

  test.each([
    ['a wrong token', 401, DeniedError, /MENDER_PAT/],
    ['a forbidden call', 403, DeniedError, /role/],
    ['a file that is too large', 413, UnsupportedError, /delete artifacts/],
  ])('%s', async (_, status, type, hint) => {
    const server = await menderServer();
    server.faults.plan(POST, { kind: 'status', status });
    const upload = uploadArtifact({ path: makeArtifact({ name: 'app-1' }) }, contextOf(server));
    await expect(upload).rejects.toThrow(type);
    await expect(upload).rejects.toMatchObject({ hint: expect.stringMatching(hint) as string });
  });

  test.each([
    ['cut', (path: string) => truncateSync(path, 700)],
    ['grown', (path: string) => appendFileSync(path, 'more')],
    ['replaced', (path: string) => renameSync(makeArtifact({ name: 'app-2' }), path)],
  ])('stops at a file that is %s after the first look', async (_, change) => {
    const server = await menderServer();
    const path = makeArtifact({ name: 'app-1' });
    const { api, ...context } = contextOf(server);
    const call: typeof api.call = (request) => {
      if (request.path.endsWith('/storage')) change(path);
      return api.call(request);
    };
    const upload = uploadArtifact({ path }, { ...context, api: { ...api, call } });
    await expect(upload).rejects.toThrow(IntegrityError);
    await expect(upload).rejects.toThrow(`uploading ${path}: it changed meanwhile`);
    expect(server.state.artifacts.size).toBe(0);
  });

  test('refuses a file that is not an artifact', async () => {
    const server = await menderServer();
    const folder = temporaryFolder();
    const [missing, text, cut] = ['missing', 'text', 'cut'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(text, 'no artifact\n'.repeat(100));
    copyFileSync(makeArtifact({ name: 'app-1' }), cut);
    truncateSync(cut, 700);
    await expect(uploadArtifact({ path: missing }, contextOf(server))).rejects.toThrow(NotFoundError);
    for (const [path, kind, message] of [
      [text, UnsupportedError, 'expected a Mender Artifact, found text'],
      [cut, IntegrityError, 'truncated'],
      [folder, UsageError, folder],
    ] as const) {
      const upload = uploadArtifact({ path }, contextOf(server));
      await expect(upload).rejects.toThrow(kind);
      await expect(upload).rejects.toThrow(message);
    }
    expect(server.calls).toEqual([]);
  });
});

describe('uploading directly to the storage', () => {
  test('brings the bytes, waits for the artifact and describes it', async () => {
    const server = await menderServer({ directUpload: true, processingLooks: 3 });
    const path = makeArtifact({ name: 'app-1', payload: 300_000 });
    server.faults.plan(/^PUT storage/, { kind: 'cutRequest', bytes: 1000 });
    const report = await uploadArtifact({ path, description: 'direct', direct: true }, contextOf(server));
    expect(server.state.artifacts.get(report.id)).toMatchObject({
      description: 'direct',
      size: statSync(path).size,
    });
    expect(callsOf(server, POST)).toBe(0);
  });

  test.each([405, 404])('falls back where it is not offered (%i)', async (status) => {
    const server = await menderServer();
    if (status === 404) server.faults.plan(/directupload/, { kind: 'status', status });
    const context = contextOf(server);
    const report = await uploadArtifact({ path: makeArtifact({ name: 'app-1' }), direct: true }, context);
    expect(server.state.artifacts.has(report.id)).toBe(true);
    expect(context.lines.join('\n')).toContain('does not offer direct uploads');
    expect(callsOf(server, POST)).toBe(1);
  });
});
