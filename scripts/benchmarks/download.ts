// Measures downloads against curl, all from nginx on 127.0.0.1. nginx sends files without reading
// them, as storages do: a server that costs more would hide what the clients cost.
//
//   scripts/bench download [MIB] [RUNS]     a file of MIB mebibytes (512), the best of RUNS runs (3)
//
// Needs nginx, curl and openssl (Debian: apt-get install nginx-light curl openssl). The checksum of
// curl's file is made by openssl, as it uses the processor's instructions for it; Debian's
// sha256sum takes six times as long.
import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { createCipheriv, createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../lib/free-port.mjs';
import type { DownloadFigures } from './figures.ts';
import { saveFigures } from './report.ts';

const CHILD = join(import.meta.dirname, 'downloadOnce.mjs');
const MIB = 1 << 20;

/** A file that no compression shortens; returns its digest. */
function makeFile(path: string, mib: number): string {
  const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16));
  const sum = createHash('sha256');
  const file = openSync(path, 'w');
  for (let written = 0; written < mib; written++) {
    const block = noise.update(Buffer.alloc(MIB));
    sum.update(block);
    writeSync(file, block);
  }
  closeSync(file);
  return `sha256:${sum.digest('hex')}`;
}

/** Serves the files of a folder, in one process of its own; returns it and its address. */
async function serve(folder: string): Promise<{ nginx: ChildProcess; url: string }> {
  const port = (await freePort()) as number;
  const conf = join(folder, 'nginx.conf');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (one) => `${one}_temp_path ${folder}/${one};`,
  );
  writeFileSync(
    conf,
    `daemon off; master_process off; user root; pid ${folder}/pid; error_log ${folder}/errors;
     events {}
     http { access_log off; sendfile on; ${paths.join(' ')}
       server { listen 127.0.0.1:${port}; location / { root ${folder}; } } }`,
  );
  const nginx = spawn('nginx', ['-c', conf, '-e', join(folder, 'errors')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  nginx.once('error', (error) => {
    throw new Error(`nginx: ${error.message} (Debian: apt-get install nginx-light)`);
  });
  const url = `http://127.0.0.1:${port}/source`;
  const asked = spawnSync('curl', [
    '-sSf',
    '--retry',
    '20',
    '--retry-connrefused',
    '--retry-delay',
    '1',
    '-I',
    url,
  ]);
  if (asked.status !== 0) throw new Error(`nginx does not answer: ${String(asked.stderr)}`);
  return { nginx, url };
}

/** Downloads once, in a process of its own. */
function ours(url: string, size: number, digest: string, destination: string, how: string): DownloadFigures {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [CHILD, url, String(size), digest, destination, how],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as DownloadFigures;
}

/** A shell command, with what it and its children took. */
function shell(command: string, ...words: string[]): DownloadFigures {
  const { stderr, status } = spawnSync(
    'bash',
    ['-c', `TIMEFORMAT='%R %U %S'; time { ${command}; }`, 'bash', ...words],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(stderr);
  const [seconds = 0, user = 0, system = 0] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { seconds, cpu: user + system };
}

async function main(mib = '512', runs = '3'): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-download-'));
  const [path, destination] = [join(folder, 'source'), join(folder, 'destination')];
  const digest = makeFile(path, Number(mib));
  const { nginx, url } = await serve(folder);
  try {
    const size = Number(mib) * MIB;
    const ways: Record<string, () => DownloadFigures> = {
      curl: () => shell('curl -sSf -o "$2" "$1"', url, destination),
      'curl, then openssl': () =>
        shell('curl -sSf -o "$2" "$1" && openssl dgst -sha256 "$2" > /dev/null', url, destination),
      'curl, tee and openssl': () =>
        shell('curl -sSf "$1" | tee "$2" | openssl dgst -sha256 > /dev/null', url, destination),
      'one stream': () => ours(url, size, '-', destination, 'stream'),
      'one stream, verified': () => ours(url, size, digest, destination, 'stream'),
      'in parts': () => ours(url, size, '-', destination, 'parts'),
      'in parts, verified': () => ours(url, size, digest, destination, 'parts'),
    };
    const best = new Map<string, DownloadFigures>();
    for (let run = 0; run < Number(runs); run++) {
      for (const [name, way] of Object.entries(ways)) {
        rmSync(destination, { force: true });
        const result = way();
        const before = best.get(name);
        const peak = Math.max(result.peak ?? 0, before?.peak ?? 0);
        const least = before === undefined || result.seconds < before.seconds ? result : before;
        best.set(name, { ...least, peak });
      }
    }
    saveFigures('download', { mebibytes: Number(mib), runs: Number(runs), ways: Object.fromEntries(best) });
  } finally {
    nginx.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main(...process.argv.slice(2));
