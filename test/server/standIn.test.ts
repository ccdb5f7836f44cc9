import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { makeArtifact } from '../helpers/mender-artifact.ts';
import { menderServer } from '../helpers/menderServer/menderServer.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { requireTool } from '../helpers/tools.ts';

const run = promisify(execFile);

describe('the stand-in is as strict as a server', () => {
  const artifact = () => new Blob([readFileSync(makeArtifact({ name: 'app-1' }))]);
  type Part = [name: string, value: string | Blob];

  test.each([
    [
      'the right order',
      (file: Blob): Part[] => [
        ['size', String(file.size)],
        ['description', 'd'],
        ['artifact', file],
      ],
      201,
      'd',
    ],
    [
      'a description behind the artifact',
      (file: Blob): Part[] => [
        ['artifact', file],
        ['description', 'd'],
      ],
      201,
      '',
    ],
    [
      'a size too large',
      (file: Blob): Part[] => [
        ['size', String(file.size + 1)],
        ['artifact', file],
      ],
      400,
      undefined,
    ],
    [
      'a size too small',
      (file: Blob): Part[] => [
        ['size', '1'],
        ['artifact', file],
      ],
      400,
      undefined,
    ],
    ['no artifact', (): Part[] => [['description', 'd']], 400, undefined],
    [
      'a file that is not an artifact',
      (): Part[] => [['artifact', new Blob(['x'.repeat(2000)])]],
      400,
      undefined,
    ],
  ])('about uploads: %s', async (_, parts, status, description) => {
    const server = await menderServer();
    const body = new FormData();
    for (const [name, value] of parts(artifact())) body.append(name, value);
    const headers = { authorization: `Bearer ${server.token}` };
    const url = `${server.url}/api/management/v1/deployments/artifacts`;
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(status);
    expect([...server.state.artifacts.values()].map((one) => one.description)).toEqual(
      description === undefined ? [] : [description],
    );
  });

  test.each([
    ['GET', '/v2/deployments/artifacts?per_page=501', undefined],
    ['GET', '/v2/deployments/artifacts?colour=red', undefined],
    ['POST', '/v1/deployments/deployments', { artifact_name: 'a' }],
    ['PUT', '/v1/deployments/deployments/1/status', { status: 'paused' }],
  ])('about what the API description says: %s %s', async (method, path, body) => {
    const server = await menderServer();
    const answer = await fetch(`${server.url}/api/management${path}`, {
      method,
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect(answer.status).toBe(400);
    // Any other test would fail for it.
    expect(server.violations.splice(0)[0]).toMatch(/^request /);
  });
});

describe("Mender's own client works with the stand-in server", () => {
  test('login, list, upload, conflict, delete', async () => {
    requireTool('mender-cli');
    const server = await menderServer({ twoFactorCode: '123456' });
    const home = temporaryFolder();
    const cli = (...more: string[]) =>
      run('mender-cli', ['--server', server.url, ...more], {
        env: { ...process.env, HOME: home, XDG_CACHE_HOME: '' },
      });
    const login = ['login', '--username', 'user@example.com', '--password'];

    await expect(cli(...login, 'wrong')).rejects.toThrow(/status 401/);
    await expect(cli('artifacts', 'list')).rejects.toThrow();
    expect((await cli(...login, 'correct horse', '--2fa-code', '123456')).stdout).toContain(
      'login successful',
    );
    const tokenFile = join(home, '.cache', 'mender', 'authtoken');
    expect(server.state.tokens).toContain(readFileSync(tokenFile, 'utf8'));
    expect(statSync(tokenFile).mode & 0o777).toBe(0o600);

    const file = makeArtifact({
      name: 'app-1.0',
      deviceTypes: ['rpi4', 'qemu'],
      depends: { 'app.version': '0.9' },
    });
    const upload = ['artifacts', 'upload', '--no-progress', '--description', 'first'];
    await cli(...upload, file);
    const [stored] = [...server.state.artifacts.values()];
    expect(stored).toMatchObject({
      name: 'app-1.0',
      description: 'first',
      size: statSync(file).size,
      device_types_compatible: ['rpi4', 'qemu'],
      artifact_depends: { device_type: ['rpi4', 'qemu'], 'app.version': ['0.9'] },
      updates: [{ type_info: { type: 'app' }, files: [{ name: 'content', size: 2000 }] }],
    });
    expect((await cli('artifacts', 'list')).stdout).toContain('app-1.0');
    await expect(cli(...upload, file)).rejects.toThrow(/status 409/);
    const other = makeArtifact({
      name: 'app-1.0',
      deviceTypes: ['qemu', 'x86'],
      depends: { 'app.version': '0.9' },
    });
    await expect(cli(...upload, other)).rejects.toThrow(/status 409/);
    await cli(...upload, makeArtifact({ name: 'app-1.0', deviceTypes: ['qemu'] }));
    expect(server.state.artifacts.size).toBe(2);
    expect((await cli('artifacts', 'delete', stored!.id)).stdout).toContain('delete successful');
    expect(server.state.artifacts.size).toBe(1);
  });
});
