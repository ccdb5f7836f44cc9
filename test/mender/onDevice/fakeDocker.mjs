// A Docker of files, for the state script: DOCKER_STORE has images.json (name -> ID), <ID>.tar to save, the folders of
// an image store, and files that switch a behaviour on.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const store = process.env.DOCKER_STORE;
const at = (...path) => join(store, ...path);
const isOn = (name) => existsSync(at(name));
const blobs = at('containerd/io.containerd.content.v1.content/blobs/sha256');
const chains = at('root/image/overlay2/layerdb/sha256');
const list = at('images.json');
const images = isOn('images.json') ? JSON.parse(readFileSync(list, 'utf8')) : {};
const save = () => writeFileSync(list, JSON.stringify(images));
const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');

function fail(message) {
  console.error(message);
  process.exit(1);
}

/** The files of a tar: path -> bytes. */
function untar(bytes) {
  const files = new Map();
  for (let offset = 0; offset + 512 <= bytes.length && bytes[offset] !== 0;) {
    const name = bytes.toString('latin1', offset, offset + 100).replace(/\0.*/, '');
    const size = parseInt(bytes.toString('latin1', offset + 124, offset + 135), 8);
    if (offset + 512 + size > bytes.length) fail('unexpected EOF');
    files.set(name, bytes.subarray(offset + 512, offset + 512 + size));
    offset += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

function loadLayer(layer, path, hex, chain) {
  const isContainerd = isOn('containerd-store');
  const held = isContainerd ? join(blobs, hex) : join(chains, chain);
  if (layer === undefined && !existsSync(held)) fail(`no such file: ${path}`);
  if (layer !== undefined && sha(layer) !== hex) fail(`invalid diffID for layer ${hex}`);
  if (!isContainerd) mkdirSync(held, { recursive: true });
  else if (layer !== undefined) writeFileSync(held, layer);
}

function load() {
  if (isOn('hang')) {
    writeFileSync(at('reached'), '');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
  }
  const files = untar(readFileSync(0));
  if (isOn('full')) fail('write /var/lib/docker: no space left on device');
  const [entry] = JSON.parse(files.get('manifest.json') ?? fail('no manifest.json'));
  const config = files.get(entry.Config);
  const diffIDs = JSON.parse(config).rootfs.diff_ids;
  let chain;
  for (const [position, path] of entry.Layers.entries()) {
    const hex = diffIDs[position].slice(7);
    chain = chain === undefined ? hex : sha(`sha256:${chain} ${diffIDs[position]}`);
    loadLayer(files.get(path), path, hex, chain);
  }
  const manifest = JSON.parse(files.get('index.json')).manifests[0].digest;
  images[entry.RepoTags[0]] = isOn('containerd-store') ? manifest : `sha256:${sha(config)}`;
  save();
  console.log(`Loaded image: ${entry.RepoTags[0]}`);
  writeFileSync(at('loads'), `${entry.RepoTags[0]} ${[...files.keys()].join(' ')}\n`, { flag: 'a' });
}

const idOf = (name) => images[name] ?? (Object.values(images).includes(name) ? name : undefined);

function remove(name) {
  if (idOf(name) === undefined) fail(`No such image: ${name}`);
  const names = name in images ? [name] : Object.keys(images).filter((one) => images[one] === name);
  if (names.length > 1) fail('image is referenced in multiple repositories');
  if (isOn('used') && readFileSync(at('used'), 'utf8').includes(images[names[0]]))
    fail('container is using it');
  Reflect.deleteProperty(images, names[0]);
  save();
}

if (isOn('down')) fail('Cannot connect to the Docker daemon');
const [noun, verb, ...rest] = process.argv.slice(2);
const last = rest.at(-1);
switch (`${noun} ${verb ?? ''}`) {
  case 'version ':
    break;
  case 'info --format':
    console.log(
      `${at('root')}|${isOn('containerd-store') ? 'overlayfs|[[driver-type io.containerd.snapshotter.v1]]' : 'overlay2|[]'}`,
    );
    break;
  case 'image inspect':
    console.log(idOf(last) ?? fail(`No such image: ${last}`));
    break;
  case 'image ls':
    console.log([...new Set(Object.values(images))].join('\n'));
    break;
  case 'image save':
    process.stdout.write(readFileSync(at(`${(idOf(last) ?? fail(`No such image: ${last}`)).slice(7)}.tar`)));
    writeFileSync(at('saves'), `${last}\n`, { flag: 'a' });
    break;
  case 'image load':
    load();
    break;
  case 'image tag':
    images[rest[1]] = idOf(rest[0]) ?? fail(`No such image: ${rest[0]}`);
    save();
    break;
  case 'image rm':
    remove(last);
    break;
  default:
    fail(`unexpected: docker ${process.argv.slice(2).join(' ')}`);
}
