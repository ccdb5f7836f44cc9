import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { IntegrityError, NetworkError, UsageError } from '../../src/errors.ts';
import { uploadArtifact } from '../../src/pipeline/release/upload.ts';
import { getArtifact } from '../../src/server/artifacts.ts';
import { downloadArtifact } from '../../src/server/download.ts';
import { makeArtifact } from '../helpers/mender-artifact.ts';
import { menderServer } from '../helpers/menderServer/menderServer.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { callsOf, contextOf } from './fixture.ts';

async function prepared() {
  const server = await menderServer();
  const context = contextOf(server);
  const source = makeArtifact({ name: 'app-1', payload: 400_000 });
  const { id } = await uploadArtifact({ path: source }, context);
  const folder = temporaryFolder();
  const artifact = await getArtifact(context.api, id);
  const path = join(folder, 'deep', 'app.mender');
  const run = () => downloadArtifact(context.api, artifact, path, context);
  return { server, source, folder: join(folder, 'deep'), artifact, path, part: `${path}.${id}.part`, run };
}

describe('downloading', () => {
  test('brings the exact bytes, without the token at the storage', async () => {
    const { source, folder, path, run } = await prepared();
    expect(await run()).toEqual({ path, size: statSync(source).size, resumedFrom: 0 });
    expect(readFileSync(path).equals(readFileSync(source))).toBe(true);
    expect(readdirSync(folder)).toEqual(['app.mender']);
  });

  test('resumes after breaks, with a new link each time', async () => {
    const { server, source, path, run } = await prepared();
    for (const bytes of [100_000, 1, 50_000])
      server.faults.plan(/^GET storage/, { kind: 'cutResponse', bytes });
    await run();
    expect(readFileSync(path).equals(readFileSync(source))).toBe(true);
    expect(callsOf(server, /\/download$/)).toBe(4);
  });

  test('gives up when nothing arrives any more, and the next run resumes', async () => {
    const { server, source, path, part, run } = await prepared();
    server.faults.plan(/^GET storage/, { kind: 'cutResponse', bytes: 123_456 });
    server.faults.plan(/^GET storage/, { kind: 'cutBefore' }, 99);
    await expect(run()).rejects.toThrow(NetworkError);
    expect(existsSync(path)).toBe(false);
    const kept = statSync(part).size;
    expect(kept).toBeGreaterThan(0);
    server.faults.clear();
    expect(await run()).toMatchObject({ resumedFrom: kept });
    expect(readFileSync(path).equals(readFileSync(source))).toBe(true);
    expect(existsSync(part)).toBe(false);
  });

  test('a part that is whole needs no more bytes, one that is too long is begun again', async () => {
    const { server, source, folder, path, part, run } = await prepared();
    mkdirSync(folder);
    writeFileSync(part, readFileSync(source));
    expect(await run()).toMatchObject({ resumedFrom: statSync(source).size });
    expect(callsOf(server, /\/download$/)).toBe(0);
    writeFileSync(part, readFileSync(source));
    appendFileSync(part, 'more');
    expect(await run()).toMatchObject({ resumedFrom: 0 });
    expect(readFileSync(path).equals(readFileSync(source))).toBe(true);
  });

  test('a file of another size than promised never gets the final name', async () => {
    const { artifact, path, run } = await prepared();
    artifact.size = artifact.size! + 1;
    await expect(run()).rejects.toThrow(IntegrityError);
    expect(existsSync(path)).toBe(false);
  });

  test('an expired link is an error without the link in it', async () => {
    const { server, run } = await prepared();
    server.faults.plan(/^GET storage/, { kind: 'status', status: 403 });
    await expect(run()).rejects.toThrow(/answered 403/);
    await expect(run()).resolves.toBeDefined();
  });

  test('a folder that can not be written', async () => {
    const { folder, run } = await prepared();
    writeFileSync(folder, 'a file');
    await expect(run()).rejects.toThrow(UsageError);
  });
});
