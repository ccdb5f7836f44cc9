import { spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { temporaryFolder } from './temporary.ts';
import { requireTool } from './tools.ts';

/**
 * What to wait for on the screen, what to type then, and how the answer ends: with Enter by
 * default.
 */
export type Step = readonly [waitFor: string, answer: string, end?: string];

export interface TerminalOptions {
  /** The working folder. */
  folder: string;
  environment?: Record<string, string>;
  /** A dumb terminal gets no colours and no bars. */
  term?: string;
  steps?: readonly Step[];
}

/** Returns a folder for PATH that has the tool, run from its sources. */
function programFolder(): string {
  const root = resolve(import.meta.dirname, '../..');
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, 'main.mjs'),
    `const { main } = await import(${JSON.stringify(join(root, 'src/cli.ts'))});\n` +
      'process.exitCode = await main(process.argv.slice(2));\n',
  );
  const program = join(folder, 'mender-docker-delta');
  const hooks = join(root, 'test/helpers/typescript.js');
  writeFileSync(
    program,
    `#!/bin/sh\nexec '${process.execPath}' --import '${hooks}' '${folder}/main.mjs' "$@"\n`,
  );
  chmodSync(program, 0o755);
  return folder;
}

/**
 * Runs a command line of a shell in a terminal of 80 columns, and answers each question once it is
 * on the screen.
 */
export async function onTerminal(
  line: string,
  { folder, environment = {}, term = 'dumb', steps = [] }: TerminalOptions,
): Promise<{ code: number | null; screen: string }> {
  requireTool('script');
  const path = `${programFolder()}:${process.env['PATH'] ?? ''}`;
  const child = spawn('script', ['-qec', `stty columns 80 rows 24; ${line}`, '/dev/null'], {
    cwd: folder,
    env: { HOME: temporaryFolder(), ...environment, PATH: path, TERM: term, SHELL: '/bin/sh' },
  });
  let screen = '';
  let seen = 0;
  const left = [...steps];
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
    const [step] = left;
    if (step === undefined) return;
    const [waitFor, answer, end = '\r'] = step;
    const at = screen.indexOf(waitFor, seen);
    const promptEnd = at < 0 ? -1 : screen.indexOf(': ', at + waitFor.length);
    if (promptEnd < 0) return;
    left.shift();
    seen = screen.length;
    child.stdin.write(answer + end);
  });
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, screen };
}
