import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { uploadArtifact } from '../../src/pipeline/release/upload.ts';
import { makeArtifact } from '../helpers/mender-artifact.ts';
import { menderServer } from '../helpers/menderServer/menderServer.ts';
import { callsOf, contextOf } from './fixture.ts';

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const POST = /^POST .*\/artifacts$/;

test('an upload that was killed is finished by the next run, without a duplicate', async () => {
  const server = await menderServer();
  // More than the buffers between the two hold.
  const path = makeArtifact({ name: 'app-1', payload: 20_000_000 });
  server.faults.plan(POST, { kind: 'slow', milliseconds: 300 });
  const argv = [
    '--import',
    file('../helpers/typescript.js'),
    file('uploadOnce.ts'),
    server.url,
    server.token,
    path,
  ];
  const killed = spawn(process.execPath, argv, { stdio: 'ignore' });
  const ended = once(killed, 'exit');
  await expect.poll(() => callsOf(server, POST), { timeout: 50_000 }).toBe(1);
  killed.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGKILL']);
  const context = contextOf(server);
  const { id } = await uploadArtifact({ path }, context);
  expect([...server.state.artifacts.keys()]).toEqual([id]);
  expect(await uploadArtifact({ path }, context)).toMatchObject({ id, outcome: 'present' });
  expect(callsOf(server, POST)).toBe(2);
});
