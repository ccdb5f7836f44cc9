// Debian's docker-registry on loopback, filled with images.
import { spawn } from 'node:child_process';
import { createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.mjs';

/** Serves `content`, as images.mjs makes it, from a registry that keeps its files in `folder`. */
export async function registryWith(content, folder) {
  const host = `127.0.0.1:${await freePort()}`;
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'config.yml');
  const storage = `storage: { filesystem: { rootdirectory: ${JSON.stringify(join(folder, 'data'))} } }`;
  writeFileSync(config, `version: 0.1\nlog: { level: error }\n${storage}\nhttp: { addr: "${host}" }\n`);
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  while (!(await answers(host))) await sleep(50);
  for (const [name, manifest] of content.manifests) await push(host, name, manifest, content.blobs);
  return { host, close: () => child.kill() };
}

async function answers(host) {
  return fetch(`http://${host}/v2/`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push */
async function push(host, name, { type, content: bytes }, blobs) {
  const [, repository, tag] = /^(.+?)[:@](.+)$/.exec(name);
  const { config, layers } = JSON.parse(bytes);
  for (const { digest } of [config, ...layers]) await pushBlob(host, repository, digest, blobs.get(digest));
  await put(`http://${host}/v2/${repository}/manifests/${tag}`, { 'content-type': type }, bytes);
}

async function pushBlob(host, repository, digest, { size, content, file }) {
  const begun = await fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const location = new URL(begun.headers.get('location'), `http://${host}`);
  location.searchParams.set('digest', digest);
  await put(location, { 'content-length': String(size) }, content ?? createReadStream(file));
}

async function put(url, headers, body) {
  const answer = await fetch(url, { method: 'PUT', headers, body, duplex: 'half' });
  if (!answer.ok) throw new Error(`pushing to ${url}: ${answer.status} ${await answer.text()}`);
}
