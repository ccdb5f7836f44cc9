import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { simulateDevice } from '../helpers/menderServer/device.ts';
import { menderServer } from '../helpers/menderServer/menderServer.ts';
import type { MenderServer } from '../helpers/menderServer/menderServer.ts';
import type { Device, ServerOptions } from '../helpers/menderServer/state.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { requireTool } from '../helpers/tools.ts';

export interface GatewayArtifact {
  version: string;
  /** As in a platform; undefined leaves it out, as other tools do. */
  architecture?: string | undefined;
  name?: string;
  depends?: Record<string, string>;
  deviceType?: string;
}

/** A new artifact of the application `gateway`, made by Mender's own tool. */
export function gatewayArtifact(wanted: GatewayArtifact): string {
  requireTool('mender-artifact');
  const { version, architecture, depends = {}, deviceType = 'qemu' } = wanted;
  const name = wanted.name ?? `gateway-${version}`;
  const folder = temporaryFolder();
  const [content, meta, artifact] = ['manifests.tar.gz', 'meta.json', `${name}.mender`].map((file) =>
    join(folder, file),
  );
  execFileSync('tar', ['czf', content!, '--files-from', '/dev/null']);
  writeFileSync(join(folder, 'salt'), randomBytes(100));
  writeFileSync(
    meta!,
    JSON.stringify(architecture === undefined ? {} : { platform: `linux/${architecture}` }),
  );
  const more = Object.entries(depends).flatMap(([key, value]) => ['--depends', `${key}:${value}`]);
  const software = ['--software-name', 'gateway', '--software-version', version];
  const files = ['-f', content!, '-f', join(folder, 'salt'), '-m', meta!, '-o', artifact!];
  const options = ['-T', 'app', '-n', name, '-t', deviceType, ...more, ...software, ...files];
  execFileSync('mender-artifact', ['write', 'module-image', ...options], { stdio: 'ignore' });
  return artifact!;
}

export interface Tenant {
  server: MenderServer;
  devices: Device[];
}

/** A server with two devices each in the groups `berlin` and `paris`. */
export async function tenant(options: ServerOptions = {}): Promise<Tenant> {
  const devices = ['b1', 'b2', 'p1', 'p2'].map((id) => ({
    id,
    type: 'qemu',
    group: id.startsWith('b') ? 'berlin' : 'paris',
    provides: {},
  }));
  return { server: await menderServer({ devices, ...options }), devices };
}

/** Lets all devices of a tenant install what they are given; those named fail. */
export function wake({ server, devices }: Tenant, failing: readonly string[] = []): void {
  for (const device of devices) {
    simulateDevice(server, device, { outcome: failing.includes(device.id) ? 'failure' : 'success' });
  }
}

/** Writes a file of YAML, and returns its path. */
export function yamlFile(name: string, value: unknown): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, stringify(value));
  return path;
}

/**
 * A configuration file with a profile for each tenant; the tokens are in the environment that comes
 * with it.
 */
export function profilesOf(tenants: Readonly<Record<string, Tenant>>) {
  const entries = Object.entries(tenants).map(([name, { server }]) => {
    return {
      name,
      host: server.url,
      tokenEnv: `${name.toUpperCase().replace('-', '_')}_TOKEN`,
      token: server.token,
    };
  });
  const servers = Object.fromEntries(entries.map(({ name, host, tokenEnv }) => [name, { host, tokenEnv }]));
  const environment = Object.fromEntries(entries.map(({ tokenEnv, token }) => [tokenEnv, token]));
  return { config: yamlFile('config.yaml', { servers }), environment };
}

/** A map with one entry for `gateway`. */
export function gatewayMap(mappings: object, more: object = {}): object[] {
  return [{ name: 'gateway', workflow: 'stratosphere', cloud: 'mender', mappings, ...more }];
}

/** A destination that keeps and restricts nothing. */
export function group(destination: string, more: object = {}): object {
  return { destination, overwrite: false, restrict_version: false, ...more };
}
