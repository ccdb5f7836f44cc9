import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeDocument } from '../../../src/cache/documents.ts';
import {
  IntegrityError,
  NetworkError,
  NotFoundError,
  UnsupportedError,
  UsageError,
} from '../../../src/errors.ts';
import { finishUploads } from '../../../src/pipeline/release/finishUploads.ts';
import { replaceArtifact, replaceFromLocation } from '../../../src/pipeline/release/replace.ts';
import { uploadFromLocation } from '../../../src/pipeline/release/uploadLocation.ts';
import {
  noteFor,
  uploadLocationWithNote,
  uploadWithNote,
  withNote,
} from '../../../src/pipeline/release/uploadNotes.ts';
import { getArtifact } from '../../../src/server/artifacts.ts';
import { listen } from '../../helpers/listen.ts';
import { makeArtifact } from '../../helpers/mender-artifact.ts';
import { menderServer } from '../../helpers/menderServer/menderServer.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { callsOf, contextOf } from '../../server/fixture.ts';

const POST = /^POST .*\/artifacts$/;

async function prepared() {
  const server = await menderServer();
  const folder = join(temporaryFolder(), 'uploads');
  const context = { ...contextOf(server), notes: folder };
  const notes = (): string[] => {
    try {
      return readdirSync(folder).filter((name) => name.endsWith('.json'));
    } catch {
      return [];
    }
  };
  return { server, context, notes };
}

describe('the upload ledger', () => {
  test('finishes what a broken network cut off, once', async () => {
    const { server, context, notes } = await prepared();
    const path = makeArtifact({ name: 'app-1' });
    server.faults.plan(POST, { kind: 'cutBefore' }, 99);
    await expect(uploadWithNote({ path, description: 'first' }, context)).rejects.toThrow(NetworkError);
    expect(notes()).toHaveLength(1);
    server.faults.clear();
    expect(await finishUploads(context)).toMatchObject([{ name: 'app-1', outcome: 'uploaded' }]);
    expect([notes(), await finishUploads(context)]).toEqual([[], []]);
    expect([...server.state.artifacts.values()]).toMatchObject([{ description: 'first' }]);
  });

  test('finds that an upload did arrive', async () => {
    const { server, context } = await prepared();
    const path = makeArtifact({ name: 'app-1' });
    await uploadWithNote({ path }, context);
    // Killed after the server had everything, before it said so.
    await expect(withNote({ path }, context, () => Promise.reject(new Error('killed')))).rejects.toThrow(
      'killed',
    );
    expect(await finishUploads(context)).toMatchObject([{ outcome: 'present' }]);
    expect(callsOf(server, POST)).toBe(1);
  });

  test('forgets a file that was changed, and what the server refuses for good', async () => {
    const { server, context, notes } = await prepared();
    const path = makeArtifact({ name: 'app-1' });
    await expect(withNote({ path }, context, () => Promise.reject(new Error('killed')))).rejects.toThrow();
    appendFileSync(path, 'more');
    expect([await finishUploads(context), notes()]).toEqual([[], []]);
    expect(context.lines.join('\n')).toContain('was changed since');
    const other = makeArtifact({ name: 'app-2' });
    await expect(
      withNote({ path: other }, context, () => Promise.reject(new UsageError('no'))),
    ).rejects.toThrow('no');
    expect([notes(), callsOf(server, POST)]).toEqual([[], 0]);
  });

  test.each<[string, string | undefined, new (message: string) => Error]>([
    ['an empty file', '', IntegrityError],
    ['a file that is cut off', 'version', IntegrityError],
    ['a Compose file', 'services: {}\n', UnsupportedError],
    ['a missing file', undefined, NotFoundError],
  ])('has no note of %s', async (_, content, kind) => {
    const { server, context, notes } = await prepared();
    const path = join(temporaryFolder(), 'app.mender');
    if (content !== undefined) writeFileSync(path, content);
    await expect(uploadWithNote({ path }, context)).rejects.toThrow(kind);
    expect([notes(), server.calls]).toEqual([[], []]);
  });

  test('leaves uploads alone that go on in another process, or to another server', async () => {
    const { context, notes } = await prepared();
    const path = makeArtifact({ name: 'app-1' });
    await withNote({ path }, context, async () => {
      expect(await finishUploads(context)).toEqual([]);
      expect(notes()).toHaveLength(1);
      expect(context.lines).toEqual([]);
      const impatient = { ...context, api: { ...context.api, signal: AbortSignal.timeout(100) } };
      await expect(uploadWithNote({ path }, impatient)).rejects.toThrow(/timeout/);
    });
    await expect(withNote({ path }, context, () => Promise.reject(new Error('killed')))).rejects.toThrow();
    const elsewhere = { ...context, ...contextOf(await menderServer()) };
    expect([await finishUploads(elsewhere), notes().length]).toEqual([[], 1]);
    expect(await finishUploads(context, [path])).toEqual([]);
  });
});

describe('the folder of notes', () => {
  const NOTE = { host: 'HOST', tenant: '', location: 'http://attacker.example/evil.mender' };

  test('is made for its owner alone', async () => {
    const { context } = await prepared();
    await withNote({ path: makeArtifact({ name: 'app-1' }) }, context, () => {
      expect(statSync(context.notes).mode & 0o777).toBe(0o700);
      return Promise.resolve();
    });
  });

  test.each([
    ['that others can write to', (path: string) => chmodSync(path, 0o777)],
    [
      'that is a link',
      (path: string) => {
        const elsewhere = temporaryFolder();
        chmodSync(elsewhere, 0o700);
        rmSync(path, { recursive: true });
        symlinkSync(elsewhere, path);
      },
    ],
  ])('%s carries nothing out and notes nothing', async (_, change) => {
    const { server, context } = await prepared();
    mkdirSync(context.notes, { recursive: true, mode: 0o700 });
    await writeDocument(noteFor(context, NOTE.location), { ...NOTE, host: context.api.host });
    change(context.notes);
    await expect(finishUploads(context)).rejects.toThrow(/nobody else can write to/);
    await uploadWithNote({ path: makeArtifact({ name: 'app-1' }) }, context);
    expect(context.lines.join('\n')).toContain('this upload is not noted');
    expect(callsOf(server, POST)).toBe(1);
  });

  test.each<[string, object]>([
    ['without fields', {}],
    ['with a number for a path', { ...NOTE, location: undefined, path: 5, size: 1, modified: 1 }],
    ['with a list for a host', { ...NOTE, host: [] }],
  ])('drops a note %s', async (_, note) => {
    const { context, notes } = await prepared();
    mkdirSync(context.notes, { recursive: true, mode: 0o700 });
    await writeDocument(noteFor(context, 'x'), note);
    expect(await finishUploads(context)).toEqual([]);
    expect(notes()).toEqual([]);
  });

  test('works where none can be made: the upload goes ahead', async () => {
    const { context } = await prepared();
    writeFileSync(join(context.notes, '..', 'file'), '');
    const nowhere = { ...context, notes: join(context.notes, '..', 'file', 'uploads') };
    expect(await finishUploads(nowhere)).toEqual([]);
    const path = makeArtifact({ name: 'app-1' });
    expect(await uploadWithNote({ path }, nowhere)).toMatchObject({ outcome: 'uploaded' });
    expect(context.lines.join('\n')).toContain('this upload is not noted');
  });
});

describe('replacing an artifact', () => {
  test('by the same file changes the description if there is a new one', async () => {
    const { server, context } = await prepared();
    const path = makeArtifact({ name: 'app-1' });
    const { id } = await uploadWithNote({ path, description: 'why' }, context);
    const old = await getArtifact(context.api, id);
    await replaceArtifact(old, { path }, context);
    expect([...server.state.artifacts.values()]).toMatchObject([{ id, description: 'why' }]);
    await replaceArtifact(old, { path, description: 'because' }, context);
    expect([...server.state.artifacts.values()]).toMatchObject([{ id, description: 'because' }]);
  });

  test('deletes the old one and keeps its description', async () => {
    const { server, context, notes } = await prepared();
    const { id } = await uploadWithNote(
      { path: makeArtifact({ name: 'app-1' }), description: 'why' },
      context,
    );
    const old = await getArtifact(context.api, id);
    const path = makeArtifact({ name: 'app-1', payload: 50_000 });
    const report = await replaceArtifact(old, { path }, context);
    expect(report).toMatchObject({ name: 'app-1', outcome: 'uploaded' });
    expect([...server.state.artifacts.values()]).toMatchObject([{ id: report.id, description: 'why' }]);
    expect(notes()).toEqual([]);
    const again = await replaceArtifact(await getArtifact(context.api, report.id), { path }, context);
    expect(again).toMatchObject({ id: report.id, outcome: 'present' });
  });

  test('that was cut off after the deletion is finished later', async () => {
    const { server, context } = await prepared();
    const { id } = await uploadWithNote({ path: makeArtifact({ name: 'app-1' }) }, context);
    const old = await getArtifact(context.api, id);
    server.faults.plan(POST, { kind: 'cutBefore' }, 99);
    const path = makeArtifact({ name: 'app-1', payload: 50_000 });
    await expect(replaceArtifact(old, { path }, context)).rejects.toThrow(NetworkError);
    expect(server.state.artifacts.size).toBe(0);
    server.faults.clear();
    await finishUploads(context);
    expect(server.state.artifacts.size).toBe(1);
  });

  test('finishes if the answer to the deletion was lost', async () => {
    const { server, context } = await prepared();
    const { id } = await uploadWithNote({ path: makeArtifact({ name: 'app-1' }) }, context);
    server.faults.plan(/^DELETE /, { kind: 'cutAfter' });
    const path = makeArtifact({ name: 'app-1' });
    const report = await replaceArtifact(await getArtifact(context.api, id), { path }, context);
    expect([...server.state.artifacts.keys()]).toEqual([report.id]);
  });

  test.each([
    ['by one of another name', { name: 'app-2' }, /holds app-2/],
    [
      'by one that a third stands in the way of',
      { name: 'app-1', deviceTypes: ['other'] },
      /another artifact/,
    ],
    ['by one that the server has no room for', { name: 'app-1', payload: 50_000 }, /has room for/],
  ])('%s is refused, and nothing is deleted', async (_, replacement, message) => {
    const { server, context } = await prepared();
    const { id } = await uploadWithNote({ path: makeArtifact({ name: 'app-1' }) }, context);
    await uploadWithNote({ path: makeArtifact({ name: 'app-1', deviceTypes: ['other'] }) }, context);
    server.state.options.storageLimit = 30_000;
    const [old, path] = [await getArtifact(context.api, id), makeArtifact(replacement)];
    await expect(replaceArtifact(old, { path }, context)).rejects.toThrow(message);
    const { url } = await serving(readFileSync(path));
    await expect(replaceFromLocation(old, { location: url }, context)).rejects.toThrow(message);
    expect(server.state.artifacts.size).toBe(2);
  });
});

describe('replacing an artifact by one at an address', () => {
  async function stored() {
    const place = await prepared();
    const path = makeArtifact({ name: 'app-1' });
    const { id } = await uploadWithNote({ path, description: 'why' }, place.context);
    return { ...place, path, id, old: await getArtifact(place.context.api, id) };
  }
  const newer = () => readFileSync(makeArtifact({ name: 'app-1', payload: 50_000 }));

  test('deletes the old one and keeps its description', async () => {
    const { server, context, old, notes } = await stored();
    const { url } = await serving(newer());
    const report = await replaceFromLocation(old, { location: url }, context);
    expect(report).toMatchObject({ name: 'app-1', outcome: 'uploaded' });
    expect([...server.state.artifacts.values()]).toMatchObject([{ id: report.id, description: 'why' }]);
    expect(notes()).toEqual([]);
  });

  test('sends nothing if the server has it', async () => {
    const { server, context, old, id, path } = await stored();
    const { url } = await serving(readFileSync(path));
    const report = await replaceFromLocation(old, { location: url, description: 'new' }, context);
    expect(report).toMatchObject({ id, outcome: 'present' });
    expect([callsOf(server, POST), server.state.artifacts.get(id)?.description]).toEqual([1, 'new']);
  });

  test('that was cut off after the deletion is finished later', async () => {
    const { server, context, old } = await stored();
    server.faults.plan(POST, { kind: 'cutBefore' }, 99);
    const { url } = await serving(newer());
    const location = url.replace(/\?.*/, '');
    await expect(replaceFromLocation(old, { location }, context)).rejects.toThrow(NetworkError);
    expect(server.state.artifacts.size).toBe(0);
    server.faults.clear();
    await finishUploads(context);
    expect([...server.state.artifacts.values()]).toMatchObject([{ name: 'app-1', description: 'why' }]);
  });

  test.each<[string, () => Buffer, new (message: string) => Error]>([
    ['no artifact', () => Buffer.from('<html>log in</html>'), UnsupportedError],
    ['half of a header', () => newer().subarray(0, 2000), IntegrityError],
    ['nothing', () => Buffer.alloc(0), Error],
  ])('%s is refused, and nothing is deleted', async (_, bytes, kind) => {
    const { server, context, old } = await stored();
    const { url } = await serving(bytes());
    const failed = replaceFromLocation(old, { location: url }, context);
    await expect(failed).rejects.toThrow(kind);
    await expect(failed).rejects.not.toThrow(/geheim/);
    expect(server.state.artifacts.size).toBe(1);
  });
});

/** An address that serves a file; `act` takes over the requests for more than one byte. */
async function serving(
  bytes: Buffer,
  act?: (request: IncomingMessage, response: ServerResponse, count: number) => boolean,
) {
  let count = 0;
  const tokens: unknown[] = [];
  const host = await listen((request, response) => {
    tokens.push(request.headers.authorization);
    if (request.url === '/none') return void response.writeHead(404).end();
    const { range = '' } = request.headers;
    if (range !== 'bytes=0-0' && act?.(request, response, ++count) === true) return;
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
    const [start, end] = [Number(from ?? 0), to ? Number(to) + 1 : bytes.length];
    const part = bytes.subarray(start, end);
    const ranged = from === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` };
    response
      .writeHead(from === undefined ? 200 : 206, { 'content-length': part.length, ...ranged })
      .end(part);
  });
  return { url: `${host}/app.mender?signature=geheim`, tokens };
}

describe('adding from an address', () => {
  test('brings the bytes to the server, and no token to the address', async () => {
    const { server, context } = await prepared();
    const path = makeArtifact({ name: 'app-1', payload: 3_000_000 });
    const { url, tokens } = await serving(readFileSync(path));
    const report = await uploadFromLocation(url, 'from afar', context);
    expect(report).toMatchObject({ name: 'app-1', size: readFileSync(path).length });
    expect([...server.state.artifacts.values()]).toMatchObject([{ description: 'from afar' }]);
    expect(tokens.every((token) => token === undefined)).toBe(true);
  });

  test('resumes if the address broke off', async () => {
    const { server, context } = await prepared();
    const bytes = readFileSync(makeArtifact({ name: 'app-1', payload: 3_000_000 }));
    const { url } = await serving(bytes, (_request, response, count) => {
      if (count > 1) return false;
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 1_000_000), () => response.destroy());
      return true;
    });
    await uploadFromLocation(url, undefined, context);
    expect(server.state.artifacts.size).toBe(1);
  });

  test.each<[string, string | undefined, new (message: string) => Error]>([
    ['no address', 'not an address', UsageError],
    ['another scheme', 'ftp://127.0.0.1/app.mender', UsageError],
    ['nothing there', undefined, NotFoundError],
  ])('%s', async (_name, location, kind) => {
    const { server, context } = await prepared();
    const { url } = await serving(Buffer.alloc(0));
    await expect(
      uploadFromLocation(location ?? new URL('/none', url).href, undefined, context),
    ).rejects.toThrow(kind);
    expect(callsOf(server, POST)).toBe(0);
  });

  test('a source that sends less than it said', async () => {
    const { server, context } = await prepared();
    const bytes = readFileSync(makeArtifact({ name: 'app-1', payload: 3_000_000 }));
    const { url } = await serving(bytes, (_request, response) => {
      const half = bytes.subarray(0, 1000);
      response.writeHead(200, { 'content-length': half.length }).end(half);
      return true;
    });
    const failed = uploadFromLocation(url, undefined, context);
    await expect(failed).rejects.toThrow(IntegrityError);
    await expect(failed).rejects.not.toThrow(/geheim/);
    expect(server.state.artifacts.size).toBe(0);
  });

  test('that was cut off is finished by the next run; a signed address is not kept', async () => {
    const { server, context, notes } = await prepared();
    const { url } = await serving(readFileSync(makeArtifact({ name: 'app-1' })));
    const { origin, pathname } = new URL(url);
    server.faults.plan(POST, { kind: 'cutBefore' }, 99);
    await expect(uploadLocationWithNote({ location: url }, context)).rejects.toThrow(NetworkError);
    expect(notes()).toEqual([]);
    const plain = `${origin}${pathname}`;
    await expect(
      uploadLocationWithNote({ location: plain, description: 'from afar' }, context),
    ).rejects.toThrow(NetworkError);
    expect(notes()).toHaveLength(1);
    expect(await finishUploads(context, [plain])).toEqual([]);
    server.faults.clear();
    expect(await finishUploads(context)).toMatchObject([{ name: 'app-1', outcome: 'uploaded' }]);
    expect(notes()).toEqual([]);
    expect([...server.state.artifacts.values()]).toMatchObject([{ description: 'from afar' }]);
  });

  test('an artifact that is there already', async () => {
    const { context } = await prepared();
    const path = makeArtifact({ name: 'app-1' });
    await uploadWithNote({ path }, context);
    const { url } = await serving(readFileSync(path));
    await expect(uploadFromLocation(url, undefined, context)).rejects.toThrow(/answered 409/);
  });
});
