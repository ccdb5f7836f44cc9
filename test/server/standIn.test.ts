import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { makeArtifact } from '../helpers/mender-artifact.ts';
import { menderServer } from '../helpers/mender-server.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { requireTool } from '../helpers/tools.ts';

const run = promisify(execFile);

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
