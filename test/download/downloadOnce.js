// node downloadOnce.js DIST URL PATH SIZE DIGEST PART_SIZE: downloads a file once; in one stream where PART_SIZE is 0.
import { join } from 'node:path';

const [dist, url, path, size, digest, partSize] = process.argv.slice(2);
const { createHttp } = await import(join(dist, 'http/http.js'));
const { download } = await import(join(dist, 'download/download.js'));
const { closeConnections } = await import(join(dist, 'http/connections.js'));
const { silentLog: log } = await import(join(dist, 'io/log.js'));
const { noProgress: progress } = await import(join(dist, 'io/progress.js'));

const http = createHttp({ log });
const open = (range, signal) =>
  http.request({ method: 'GET', url, headers: range === undefined ? {} : { range }, signal });
const parts = partSize === '0' ? undefined : { size: Number(partSize), workers: 4 };
const file = { what: 'the file', key: 'abc', size: Number(size), digest, parts, open };
const { resumedFrom } = await download(file, path, { log, progress });
console.log(resumedFrom);
closeConnections();
