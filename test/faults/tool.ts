import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** How the command line tool is started: a program and its first arguments. */
export type Tool = readonly [string, ...string[]];

export interface ToolRun {
  /** Undefined where a signal ended it. */
  code: number | undefined;
  stderr: string;
  milliseconds: number;
}

/** Runs one command line in a process of its own; after `killAfter` milliseconds with `kill -9`. */
export async function runTool(
  tool: Tool,
  argv: readonly string[],
  environment: Record<string, string>,
  killAfter?: number,
): Promise<ToolRun> {
  const [program, ...first] = tool;
  const began = performance.now();
  const child = spawn(program, [...first, ...argv], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code: code ?? undefined, stderr, milliseconds: performance.now() - began };
}
