import { ExecaError, execa } from 'execa';
import { ToolError, UnsupportedError, UsageError } from '../../errors.ts';
import type { Hint } from '../../errors.ts';
import { redact } from '../../io/redact.ts';

/** A version of mender-artifact: major, minor, patch. */
export type ToolVersion = readonly [number, number, number];

const NAME = 'mender-artifact';
const INSTALL: Hint = ({ option }) =>
  `install it (apt-get install mender-artifact), or use ${option('writer', 'embedded')}`;
/** What to try if mender-artifact fails. */
export const OTHER_WRITER: Hint = ({ option }) => `use ${option('writer', 'embedded')}`;
const OLDEST: ToolVersion = [3, 9, 0];

/**
 * The version of the mender-artifact on PATH, or undefined if it is not installed. Throws ToolError
 * if it does not print a version, and UnsupportedError if it is older than 3.9.
 */
export async function toolVersion(): Promise<ToolVersion | undefined> {
  const output = await versionText();
  if (output === undefined) return undefined;
  const found = /(\d+)\.(\d+)\.(\d+)/.exec(output);
  if (found === null) {
    throw new ToolError(`asking mender-artifact for its version: found ${JSON.stringify(output)}`, {
      hint: INSTALL,
    });
  }
  const version: ToolVersion = [Number(found[1]), Number(found[2]), Number(found[3])];
  if (isAtLeast(version, OLDEST)) return version;
  throw new UnsupportedError(`mender-artifact ${version.join('.')} is too old, 3.9 is the oldest known`, {
    hint: INSTALL,
  });
}

async function versionText(): Promise<string | undefined> {
  try {
    return (await execa(NAME, ['--version'], { stdin: 'ignore', maxBuffer: MOST_OUTPUT })).stdout;
  } catch (error) {
    if (error instanceof ExecaError && error.code === 'ENOENT') return undefined;
    throw toolError(error, 'asking mender-artifact for its version');
  }
}

/** True if `version` is `least` or later. */
export function isAtLeast(version: ToolVersion, least: ToolVersion): boolean {
  const differing = version.findIndex((part, position) => part !== least[position]);
  return differing < 0 || (version[differing] ?? 0) > (least[differing] ?? 0);
}

/** The error if mender-artifact is required but not installed. */
export function toolMissing(): ToolError {
  return new ToolError('packing: mender-artifact is not on PATH', { hint: INSTALL });
}

/** Characters. It prints a few lines. */
const MOST_OUTPUT = 1 << 20;

interface ToolRun {
  doing: string;
  /** A folder for its temporary files. It does not remove them if it is killed. */
  temporary: string;
  /** What to try if it fails. */
  hint: Hint;
  signal?: AbortSignal;
}

/**
 * Runs mender-artifact and returns its output. Throws ToolError with the last line of it if it
 * fails.
 */
export async function runTool(
  commandLine: readonly string[],
  { doing, temporary, hint, signal }: ToolRun,
): Promise<string> {
  try {
    const cancel = signal && { cancelSignal: signal };
    const options = {
      stdin: 'ignore',
      all: true,
      maxBuffer: MOST_OUTPUT,
      env: { TMPDIR: temporary },
      ...cancel,
    } as const;
    return (await execa(NAME, commandLine, options)).all;
  } catch (error) {
    signal?.throwIfAborted();
    throw toolError(error, doing, hint);
  }
}

function toolError(error: unknown, doing: string, hint: Hint = OTHER_WRITER): unknown {
  if (!(error instanceof ExecaError)) return error;
  if (error.code === 'ENOENT') return toolMissing();
  const said = lastLine(error.stderr) || lastLine(error.stdout) || error.shortMessage;
  return new ToolError(`${doing}: mender-artifact failed: ${redact(said)}`, { hint });
}

/** Its last line says what is wrong. Before it, the tool may print all of its help. */
export function lastLine(output: unknown): string {
  return typeof output === 'string' ? (output.trim().split('\n').at(-1)?.trim() ?? '') : '';
}

/** Throws UsageError if there are extra arguments, as only mender-artifact understands them. */
export function refuseExtraArguments(extra: readonly string[]): void {
  if (extra.length === 0) return;
  throw new UsageError(
    `only mender-artifact understands ${extra.join(' ')}, but another writer writes this artifact`,
    {
      hint: ({ option }) =>
        `install mender-artifact and use ${option('writer', 'mender-artifact')}, or remove the arguments after --`,
    },
  );
}
