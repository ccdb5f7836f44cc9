import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CliRun } from '../helpers/cli.ts';
import { runCli } from '../helpers/cli.ts';
import { shop } from './shop.ts';
import type { Tool, ToolRun } from './tool.ts';
import { runTool } from './tool.ts';

/** A build of a delta with a cold cache, and what it gives when nothing disturbs it. */
export interface Undisturbed {
  folder: string;
  /** Bytes of the artifact. */
  expected: Buffer;
  /** Milliseconds that it takes in a process of its own. */
  duration: number;
  /** The same build with this cache and output, in a process of its own. */
  run(place: Place, options?: RunOptions): Promise<ToolRun>;
  /** The same build in this process. */
  inProcess(place: Place): Promise<CliRun>;
}

/** How a build differs from the undisturbed one. */
interface RunOptions {
  tool?: Tool;
  /** Milliseconds until `kill -9`. */
  killAfter?: number | undefined;
  /** More options of the command line. */
  flags?: readonly string[];
}

/** Where one attempt works. */
export interface Place {
  cache: string;
  output: string;
}

/** Makes the base, and the artifact that every later build must give. */
export async function undisturbed(folder: string, tool: Tool, lines = 3000): Promise<Undisturbed> {
  const { build, artifact, archive } = shop(folder, lines);
  const made = await build('1.0', '1');
  if (made.code !== 0) throw new Error(made.stderr);
  const argv = (place: Place): string[] => [
    ...['build', join(folder, 'shop'), '--artifact-version', '2.0', '--no-upload', '--mode', 'offline'],
    ...['-f', `web=${archive('2')}`, '--base', artifact('1.0'), '--no-cache'],
    ...['--cache-dir', place.cache, '-a', place.output],
  ];
  const environment = { HOME: folder, TAG: '2', TMPDIR: folder };
  const run: Undisturbed['run'] = (place, options = {}) =>
    runTool(options.tool ?? tool, [...argv(place), ...(options.flags ?? [])], environment, options.killAfter);
  const place = placeIn(join(folder, 'undisturbed'));
  const { code, stderr, milliseconds } = await run(place);
  if (code !== 0) throw new Error(stderr);
  return {
    folder,
    expected: readFileSync(place.output),
    duration: milliseconds,
    run,
    inProcess: (there) => runCli(argv(there), environment),
  };
}

/** An empty cache and an output folder below `folder`. */
export function placeIn(folder: string): Place {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return { cache: join(folder, 'cache'), output: join(folder, 'out/new.mender') };
}

/**
 * What is wrong with the artifact; undefined if it is the expected one, or where it may be missing
 * and is.
 */
export function artifactFault(
  { expected }: Undisturbed,
  { output }: Place,
  mayLack = false,
): string | undefined {
  if (!existsSync(output)) return mayLack ? undefined : 'there is no artifact';
  return readFileSync(output).equals(expected) ? undefined : 'the artifact has other bytes';
}

/** Files that a finished run left behind under temporary names. */
export function leftovers(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.tmp-'));
}
