// Measures the memory and the time of `artifacts add` and `artifacts download` with 1 GiB, against
// the stand-in server on this machine.
//
//   scripts/bench transfer [MIB]
//
// Needs mender-artifact and time (Debian: apt-get install mender-artifact time), and three times
// the size in the temporary folder.
import { execFileSync, spawn } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT, saveFigures } from './report.ts';
import { timed } from './timed.ts';

const MIB = 1 << 20;
const mebibytes = Number(process.argv[2] ?? 1024);
const folder = mkdtempSync(join(tmpdir(), 'bench-transfer-'));

/** An artifact of bytes that no compression makes smaller, the same at every run. */
function makeArtifact(): string {
  const [content, artifact] = [join(folder, 'content'), join(folder, 'bench.mender')];
  const file = openSync(content, 'w');
  const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  for (let written = 0; written < mebibytes; written++) writeSync(file, noise.update(Buffer.alloc(MIB)));
  closeSync(file);
  const options = ['-T', 'app', '-n', 'bench-1', '-t', 'qemu', '-f', content, '-o', artifact];
  execFileSync('mender-artifact', ['write', 'module-image', ...options, '--compression', 'none'], {
    stdio: 'ignore',
  });
  rmSync(content);
  return artifact;
}

const loader = ['--import', './test/helpers/typescript.js'];
const server = spawn(process.execPath, [...loader, 'scripts/lib/mender-server.mjs'], {
  cwd: ROOT,
  stdio: ['pipe', 'pipe', 'inherit'],
});
try {
  const line = await new Promise<string>((done) => createInterface(server.stdout).once('line', done));
  const { url, token } = JSON.parse(line) as { url: string; token: string };
  const artifact = makeArtifact();
  const copy = join(folder, 'copy');
  const tool = join(ROOT, 'bin/mender-docker-delta.js');
  const measure = (...argv: string[]) => {
    const env = { ...process.env, MENDER_PAT: token };
    const { seconds, peak } = timed([process.execPath, tool, ...argv, '-q', '-h', url], { env });
    return { what: argv.slice(0, 2).join(' '), bytes: statSync(artifact).size, seconds, peak };
  };
  const figures = [
    measure('artifacts', 'add', artifact),
    measure('artifacts', 'download', 'bench-1', '-o', copy),
  ];
  execFileSync('cmp', [artifact, copy]);
  saveFigures('transfer', figures);
} finally {
  server.stdin.end();
  rmSync(folder, { recursive: true, force: true });
}
