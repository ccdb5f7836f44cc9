import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './freePort.ts';
import type { Built } from './images.ts';
import { requireTool } from './tools.ts';

export interface RunningRegistry {
  /** `127.0.0.1:PORT` */
  host: string;
  stop(): Promise<void>;
}

/** Whom a registry with `auth` lets in. */
export const REGISTRY_LOGIN = { username: 'tester', password: 'correct-horse' };
/** The password's bcrypt hash: the only kind that docker-registry reads. */
const HTPASSWD = 'tester:$2b$05$abcdefghijklmnopqrstuuZ0Fx87Pb/Aqb0E90lfvCwzXnaFKUHpS\n';

interface RegistryOptions {
  /** True to ask for a login. */
  auth?: boolean;
  /** False for a registry that deletes nothing, as docker-registry is by default. */
  deletes?: boolean;
}

/** Starts Debian's docker-registry on loopback with an empty store in a temporary folder. */
export async function startRegistry(options: RegistryOptions = {}): Promise<RunningRegistry> {
  requireTool('docker-registry');
  const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(folder, 'config.yml');
  writeFileSync(join(folder, 'htpasswd'), HTPASSWD);
  writeFileSync(config, configOf(folder, host, options));
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  // A test run that is broken off leaves no server behind.
  process.once('exit', () => child.kill());
  try {
    await answering(host, child);
  } catch (error) {
    await end(child, folder);
    throw error;
  }
  return { host, stop: () => end(child, folder) };
}

function configOf(folder: string, host: string, { auth = false, deletes = true }: RegistryOptions): string {
  const lines = [
    'version: 0.1',
    'log: { level: error }',
    `storage: { filesystem: { rootdirectory: ${JSON.stringify(join(folder, 'data'))} }, delete: { enabled: ${deletes} } }`,
    `http: { addr: ${JSON.stringify(host)} }`,
  ];
  const htpasswd = JSON.stringify(join(folder, 'htpasswd'));
  if (auth) lines.push(`auth: { htpasswd: { realm: test, path: ${htpasswd} } }`);
  return lines.join('\n');
}

async function answering(host: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200 && child.exitCode === null; attempt++) {
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    if (answer !== undefined) return;
    await sleep(50);
  }
  throw new Error(`docker-registry did not start on ${host}`);
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null) {
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill();
    await exited;
  }
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Uploads an image or index byte for byte, with everything below it.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push
 */
export async function push(host: string, repository: string, tag: string, built: Built): Promise<void> {
  const base = `http://${host}/v2/${repository}`;
  for (const [digest, blob] of built.blobs) {
    if (!built.manifests.has(digest)) await pushBlob(base, digest, blob);
  }
  for (const [digest, mediaType] of built.manifests) {
    await send('PUT', `${base}/manifests/${digest}`, built.blobs.get(digest), mediaType);
  }
  await send('PUT', `${base}/manifests/${tag}`, built.manifest, built.descriptor.mediaType);
}

async function pushBlob(base: string, digest: string, blob: Buffer): Promise<void> {
  const begun = await send('POST', `${base}/blobs/uploads/`);
  const location = new URL(begun.headers.get('location') ?? '', base);
  location.searchParams.set('digest', digest);
  await send('PUT', location.href, blob, 'application/octet-stream');
}

async function send(method: string, url: string, body?: Buffer, type?: string): Promise<Response> {
  const { username, password } = REGISTRY_LOGIN;
  const answer = await fetch(url, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      ...(type === undefined ? {} : { 'content-type': type }),
    },
    ...(body === undefined ? {} : { body: new Uint8Array(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
  return answer;
}
