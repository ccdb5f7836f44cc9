// What `scripts/bench download` measures in a process of its own, without TypeScript's loader:
//   downloadOnce.mjs URL SIZE DIGEST|- DESTINATION stream|parts    prints seconds, processor seconds and peak memory as JSON
// Needs `npm run build:modules`.
const DIST = new URL('../../dist/', import.meta.url);
const load = (path) => import(new URL(path, DIST));
const PARTS = { size: 5 << 20, workers: 4 };

const [url, size, digest, destination, how] = process.argv.slice(2);
const { createHttp } = await load('http/http.js');
const { download } = await load('download/download.js');
const { silentLog } = await load('io/log.js');
const { noProgress } = await load('io/progress.js');
const http = createHttp({ log: silentLog });
const open = (range, signal) =>
  http.request({ method: 'GET', url, headers: range === undefined ? {} : { range }, signal });
const file = {
  what: 'bench',
  key: 'bench',
  size: Number(size),
  ...(digest === '-' ? {} : { digest }),
  ...(how === 'parts' ? { parts: PARTS } : {}),
};
const begin = process.hrtime.bigint();
await download({ ...file, open }, destination, { log: silentLog, progress: noProgress });
const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
console.log(JSON.stringify({ seconds, cpu: (userCPUTime + systemCPUTime) / 1e6, peak: maxRSS * 1024 }));
process.exit(0);
