// What `scripts/bench delta` measures in a process of its own, without TypeScript's loader:
//   encodeOnce.mjs encode FROM TO DELTA EFFORT    writes one delta by the builtin encoder, on one thread
//   encodeOnce.mjs patch FROM TO PATCH            writes one patch for a carried decoder
//   encodeOnce.mjs prove FROM TO DELTA            prints the processor seconds of our own proof of it
// Needs `npm run build:modules`.
import { statSync, writeFileSync } from 'node:fs';

const DIST = new URL('../../dist/', import.meta.url);
const load = (path) => import(new URL(path, DIST));

/** An unchanged layer gets what the engine makes of it: an identity delta, which reads nothing. */
async function encode(from, to, delta, effort) {
  const { encodeBuiltin } = await load('delta/builtin/encode.js');
  const { identityDelta } = await load('vcdiff/identity.js');
  const { silentLog } = await load('io/log.js');
  if (statSync(from).ino === statSync(to).ino) {
    writeFileSync(delta, identityDelta(statSync(from).size));
    return;
  }
  const layer = (path) => ({ diffID: `sha256:${'0'.repeat(64)}`, path, size: statSync(path).size });
  const options = { encoder: 'builtin', effort, workers: 1, log: silentLog };
  await encodeBuiltin(layer(from), layer(to), delta, options);
}

/** A patch names the digest of what it makes. */
async function patch(from, to, destination) {
  const { encodePatch } = await load('delta/patch/encodePatch.js');
  await encodePatch([await layerAt(from)], await layerAt(to), destination);
}

async function layerAt(path) {
  const { digestOfFile } = await load('io/verify.js');
  return { diffID: (await digestOfFile(path)).digest, path, size: statSync(path).size };
}

async function prove(from, to, delta) {
  const { proveDelta } = await load('delta/proof.js');
  const { silentLog } = await load('io/log.js');
  const layers = [await layerAt(from), await layerAt(to)];
  const before = process.cpuUsage();
  await proveDelta(...layers, delta, { log: silentLog });
  const { user, system } = process.cpuUsage(before);
  console.log((user + system) / 1e6);
}

const [action, ...rest] = process.argv.slice(2);
await { encode, patch, prove }[action](...rest);
