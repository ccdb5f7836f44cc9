import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compiledSources } from '../helpers/compiled.ts';
import { buildImage, writeOciArchive } from '../helpers/images.ts';

let folder: string;
let program: string;
let compiled: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-process-'));
  compiled = compiledSources(folder);
  program = `import { main } from ${JSON.stringify(join(compiled, 'cli.js'))};
    process.exitCode = await main(process.argv.slice(1));`;
  writeOciArchive(join(folder, 'web.tar'), {
    'example.com/web:1': buildImage({ layers: [{ 'bin/web': randomBytes(8e6) }] }),
  });
  writeFileSync(join(folder, 'compose.yaml'), 'services: {web: {image: "example.com/web:1"}}\n');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(argv: string[], stdout: 'pipe' | number = 'pipe'): ReturnType<typeof spawn> {
  const command = ['--input-type=module', '-e', program, '--', ...argv];
  const env = { PATH: process.env['PATH'], HOME: folder, TMPDIR: folder };
  return spawn(process.execPath, command, { cwd: folder, env, stdio: ['ignore', stdout, 'pipe'] });
}

function build(output: string, ...options: string[]): string[] {
  const what = ['-t', 'qemu', '-p', 'linux/amd64', '--artifact-version', '1', '-f', 'web=web.tar'];
  return ['build', 'compose.yaml', ...what, '--no-upload', '-a', output, ...options];
}

describe('a signal', () => {
  it.each([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGQUIT', 131],
    ['SIGTERM', 143],
  ] as const)(
    '%s while mender-artifact packs is told, and leaves nothing behind',
    async (signal, code) => {
      const output = join(folder, signal);
      mkdirSync(output);
      const options = ['--writer', 'mender-artifact', '--compression', 'lzma'];
      const child = start(build(join(output, 'new.mender'), ...options));
      const said = text(child.stderr!);
      while (!isPacking(output)) await sleep(5);
      child.kill(signal);
      const ended = (await once(child, 'exit')) as unknown[];
      expect(await said).toContain(`error: interrupted by ${signal}\n`);
      expect(ended).toEqual([code, null]);
      expect(readdirSync(output)).toEqual([]);
    },
    60_000,
  );

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'a second %s ends the run at once, and leaves nothing behind',
    async (signal) => {
      const output = join(folder, `second-${signal}`);
      mkdirSync(output);
      const child = start(build(join(output, 'new.mender'), '--writer', 'mender-artifact'));
      const said = text(child.stderr!);
      while (!isPacking(output)) await sleep(5);
      child.kill(signal);
      child.kill(signal);
      const [code] = (await once(child, 'exit')) as unknown[];
      expect(await said).toContain(`error: interrupted by ${signal}\n`);
      expect(code).toBe(signal === 'SIGINT' ? 130 : 143);
      expect(readdirSync(output)).toEqual([]);
    },
    60_000,
  );

  it('an error that no code catches ends a run that does not end by itself', async () => {
    const script = `
      import { onStrayErrors } from ${JSON.stringify(join(compiled, 'commands/terminal/process.js'))};
      const tell = (error) => (console.error('told: ' + error.message), 5);
      onStrayErrors(() => undefined, tell);
      setInterval(() => undefined, 1000);
      setTimeout(() => { throw new Error('spawn git EMFILE'); }, 1);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    const said = text(child.stderr);
    expect(await once(child, 'exit')).toEqual([5, null]);
    expect(await said).toBe('told: spawn git EMFILE\n');
  });

  it('ends a run that does not end by itself, and deletes its temporary files', async () => {
    const output = join(folder, 'stuck');
    mkdirSync(output);
    const script = `
      import { onSignals } from ${JSON.stringify(join(compiled, 'commands/terminal/process.js'))};
      import { writeAtomically } from ${JSON.stringify(join(compiled, 'io/files.js'))};
      import { writeFile } from 'node:fs/promises';
      onSignals(() => undefined);
      setInterval(() => undefined, 1000);
      await writeAtomically(process.argv[1], async (path) => {
        await writeFile(path, 'x');
        console.log('ready');
        await new Promise(() => undefined);
      });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, join(output, 'f')]);
    await once(child.stdout, 'data');
    expect(readdirSync(output)).toHaveLength(1);
    child.kill('SIGHUP');
    expect(await once(child, 'exit')).toEqual([129, null]);
    expect(readdirSync(output)).toEqual([]);
  });
});

/** True once mender-artifact has begun to write. */
function isPacking(output: string): boolean {
  const names = readdirSync(output, { recursive: true, encoding: 'utf8' });
  return names.some((name) => name.endsWith('new.mender.tmp'));
}

describe('an output', () => {
  it('whose reader has gone stops no work', async () => {
    const child = start(build(join(folder, 'gone.mender'), '--writer', 'embedded', '--compression', 'none'));
    child.stdout!.destroy();
    const said = text(child.stderr!);
    expect(await once(child, 'exit')).toEqual([0, null]);
    // A slow machine tells of its progress.
    expect((await said).replace(/^.*: done, .*\n/gm, '')).toBe('');
    expect(readdirSync(folder)).toContain('gone.mender');
  }, 60_000);

  it('on a full disk is an error of one line', async () => {
    const full = openSync('/dev/full', 'w');
    const child = start(['cache', 'ls'], full);
    closeSync(full);
    const said = text(child.stderr!);
    expect(await once(child, 'exit')).toEqual([2, null]);
    expect(await said).toMatch(/^error: writing the output: the disk is full\n {2}try: .*\n$/);
  });
});
