import { main } from '../../src/cli.ts';

export interface CliRun {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs one command line in this process, with nothing of this process's environment but PATH. To it
 * nothing takes long: what progress prints does not depend on the machine.
 * `folder`: the working folder; that of this process if it is missing.
 */
export async function runCli(
  argv: readonly string[],
  environment: Record<string, string> = {},
  folder?: string,
): Promise<CliRun> {
  const run: CliRun = { code: -1, stdout: '', stderr: '' };
  run.code = await main(argv, {
    environment: { PATH: process.env['PATH'], ...environment },
    ...(folder === undefined ? {} : { folder }),
    clock: () => 0,
    stdout: (text) => (run.stdout += text),
    stderr: { isTTY: false, columns: 80, write: (text) => (run.stderr += text) },
  });
  return run;
}
