import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compiledIn } from './faults/compile.ts';
import { buildImage } from './helpers/images.ts';
import { menderServer } from './helpers/menderServer/menderServer.ts';
import { simulateDevice } from './helpers/menderServer/device.ts';
import { noise } from './helpers/noise.ts';
import { push, startRegistry } from './helpers/registry.ts';
import type { RunningRegistry } from './helpers/registry.ts';
import { temporaryFolder } from './helpers/temporary.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** The shell commands of a document that a reader without a device can run, in their order. */
function commandsOf(path: string): string {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const start = text.indexOf('mkdir shop && cd shop');
  const blocks = [...text.slice(text.lastIndexOf('```sh', start)).matchAll(/^```sh\n([\s\S]*?)^```$/gm)];
  const onDevice = /^mender-update .*\n?/gm;
  return blocks.map(([, commands]) => commands!.replace(onDevice, '')).join('\n');
}

let registry: RunningRegistry;
/** A folder on PATH with the tool. */
let programs: string;
beforeAll(async () => {
  programs = mkdtempSync(join(tmpdir(), 'mender-docker-delta-quick-start-'));
  const [node, tool] = compiledIn(join(programs, 'tool'));
  writeFileSync(join(programs, 'mender-docker-delta'), `#!/bin/sh\nexec '${node}' '${tool!}' "$@"\n`);
  chmodSync(join(programs, 'mender-docker-delta'), 0o755);
  registry = await startRegistry();
  for (const release of ['1.28.0', '1.28.1']) {
    const program = noise(200_000, 1);
    program.write(release, 100_000);
    const layers = [{ 'usr/base': noise(100_000, 2) }, { 'usr/sbin/nginx': program }];
    const image = buildImage({ layers, platform: { os: 'linux', architecture: 'arm64' } });
    await push(registry.host, 'nginx', release, image);
  }
});
afterAll(() => registry.stop());
afterAll(() => rmSync(programs, { recursive: true, force: true }));

describe('the quick start', () => {
  it.each(['README.md', 'docs/quick-start.md'])(
    'of %s works as it is written',
    async (path) => {
      const server = await menderServer();
      const device = { id: 'kitchen', type: 'raspberrypi4', group: 'test', provides: {} };
      simulateDevice(server, device, { outcome: 'success' });
      const folder = temporaryFolder();
      const script = commandsOf(path)
        .replace('image: nginx:', `image: ${registry.host}/nginx:`)
        .replace(/MENDER_PAT=\S+/, `MENDER_PAT=${server.token}`);
      const { all, exitCode } = await execa('bash', ['-euo', 'pipefail', '-c', script], {
        cwd: folder,
        all: true,
        reject: false,
        env: {
          PATH: `${programs}:${process.env['PATH']!}`,
          HOME: folder,
          MENDER_DOCKER_DELTA_MENDER_HOST: server.url,
          MENDER_DOCKER_DELTA_POLL_INTERVAL: '0.05s',
        },
      });
      expect(exitCode, all).toBe(0);
      expect(all).toContain('verdict:  good');
      const names = [...server.state.deployments.values()].map(({ artifact_name: name }) => name);
      expect(names).toEqual(['shop-1.0.0', 'shop-1.1.0']);
    },
    180_000,
  );
});
