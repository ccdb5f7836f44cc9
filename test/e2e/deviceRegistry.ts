import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireTool } from '../helpers/tools.ts';
import type { Device } from './device.ts';

/** A registry in the network of a device, on its localhost:5000. */
export function startRegistry(device: Device): { stop: () => Promise<void> } {
  requireTool('docker-registry');
  const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-registry-'));
  const config = join(folder, 'config.yml');
  writeFileSync(
    config,
    `version: 0.1\nstorage: { filesystem: { rootdirectory: ${folder}/data } }\nhttp: { addr: 127.0.0.1:5000 }\n`,
  );
  const child = spawn('nsenter', ['-t', device.pid(), '-n', 'docker-registry', 'serve', config], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  device.ask("timeout 20 bash -c 'until true > /dev/tcp/127.0.0.1/5000; do sleep 0.1; done' 2> /dev/null");
  return {
    stop: async () => {
      child.kill();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
