import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireTool } from '../helpers/tools.ts';
import type { Device } from './device.ts';

export interface DeviceRegistry {
  /** Pushes an image archive as `localhost:5000/<name>`, its layers compressed. */
  push(archive: string, name: string): void;
  stop(): Promise<void>;
}

/** A registry in the network of a device, on its localhost:5000. */
export function startRegistry(device: Device): DeviceRegistry {
  requireTool('docker-registry');
  requireTool('skopeo');
  const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-registry-'));
  const config = join(folder, 'config.yml');
  writeFileSync(
    config,
    `version: 0.1\nstorage: { filesystem: { rootdirectory: ${folder}/data } }\nhttp: { addr: 127.0.0.1:5000 }\n`,
  );
  const inNetwork = ['-t', device.pid(), '-n'];
  const child = spawn('nsenter', [...inNetwork, 'docker-registry', 'serve', config], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', resolve));
  device.ask("timeout 20 bash -c 'until true > /dev/tcp/127.0.0.1/5000; do sleep 0.1; done' 2> /dev/null");
  return {
    push: (archive, name) => {
      const copy = [
        'skopeo',
        '--insecure-policy',
        'copy',
        '--dest-tls-verify=false',
        `oci-archive:${archive}`,
      ];
      execFileSync('nsenter', [...inNetwork, ...copy, `docker://localhost:5000/${name}`], { stdio: 'pipe' });
    },
    stop: async () => {
      child.kill();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
