import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const SCRIPTS = resolve('scripts/device');
/** Folder of all devices and their root filesystem. */
export const HOME = process.env['DEVICE_HOME'] ?? resolve('.device');

/** What a command inside the device did. */
export interface Outcome {
  code: number;
  output: string;
}

/** Why the device tests do not run, or undefined. They are left out on demand only; where they can't run, they fail. */
export function skipReason(): string | undefined {
  if (process.env['SKIP_DEVICE'] !== '1') return undefined;
  process.stderr.write('device tests did not run: SKIP_DEVICE=1\n');
  return 'SKIP_DEVICE=1';
}

/** Without what compose and the client say of every run. */
function readable(output: string): string {
  const noise = /onfiguration|erver (URL|entry)|UpdateControlMap|fallback|public key|Deleted: sha256/;
  const lines = output.split('\n').filter((line) => !noise.test(line));
  return lines
    .map((line) =>
      line.replace(/^time="[^"]*" level=(\w+) msg="(Output \(std(?:out|err)\) from command \S+ )?/, '$1: '),
    )
    .join('\n');
}

const ofProject = (project: string) => `--filter label=com.docker.compose.project=${project}`;

/** How the module docker-compose behaves: as that of September 2026, or as those of October 2025 to August 2026. */
export type Generation = '2026-09' | '2025-10';

/**
 * What runs on a store: each store with one generation. The classic store also has `app`, but only
 * half of the ten releases in a row and two of the three versions. With DEVICE_TESTS=all everything
 * runs on both, which takes twice as long.
 */
export function matrixOf(store: 'graph' | 'ctd'): Matrix {
  const all: Matrix = { generations: ['2026-09', '2025-10'], withApp: true, releases: 10, versions: 3 };
  if (process.env['DEVICE_TESTS'] === 'all') return all;
  return store === 'ctd'
    ? { generations: ['2026-09'], withApp: false, releases: 10, versions: 3 }
    : { generations: ['2025-10'], withApp: true, releases: 5, versions: 2 };
}

interface Matrix {
  generations: Generation[];
  withApp: boolean;
  /** How many follow one another in the test of the disk. */
  releases: number;
  /** Of the application that changes in every way: the first is full, each other a delta. */
  versions: 2 | 3;
}

function script(name: string, ...argv: string[]): Outcome {
  return runScript(process.env, name, ...argv);
}

function runScript(env: NodeJS.ProcessEnv, name: string, ...argv: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(join(SCRIPTS, name), argv, {
    encoding: 'utf8',
    timeout: 600_000,
    env,
  });
  return { code: status ?? -1, output: readable(stdout + stderr) };
}

/** A test device: its image store follows from its name (`ctd` in it: containerd). */
export class Device {
  readonly name: string;
  readonly generation: Generation;

  constructor(name: string, generation: Generation = '2026-09') {
    this.name = name;
    this.generation = generation;
  }

  /** Starts it with nothing installed. */
  fresh(): void {
    if (!existsSync(join(HOME, 'rootfs/etc/mender/built')))
      throw new Error(
        'there is no test device: run scripts/device/build as root, or the tests with SKIP_DEVICE=1',
      );
    script('down', this.name, '--wipe', '--kill');
    this.up();
  }

  up(): void {
    const module = this.generation === '2026-09' ? '' : this.generation;
    const { code, output } = runScript({ ...process.env, DEVICE_MODULE: module }, 'up', this.name);
    if (code !== 0) throw new Error(`the test device ${this.name} does not start: ${output}`);
  }

  /** Stops it, and keeps its state for `restore`. */
  save(): void {
    this.down();
    this.forget();
    mkdirSync(join(HOME, 'saved'), { recursive: true });
    execFileSync('cp', ['-a', join(HOME, 'dev', this.name), join(HOME, 'saved', this.name)]);
  }

  /** Cuts its power, and starts it in the state that `save` has kept. */
  restore(): void {
    this.down('--wipe', '--kill');
    execFileSync('cp', ['-a', join(HOME, 'saved', this.name), join(HOME, 'dev', this.name)]);
    this.up();
  }

  /** Deletes what `save` has kept. */
  forget(): void {
    rmSync(join(HOME, 'saved', this.name), { recursive: true, force: true });
  }

  down(...options: string[]): void {
    script('down', this.name, ...options);
  }

  /** Runs a shell line inside. */
  run(line: string): Outcome {
    return script('run', '-n', this.name, 'sh', '-c', line);
  }

  /** Output of a shell line that must succeed. */
  ask(line: string): string {
    const { code, output } = this.run(line);
    if (code !== 0) throw new Error(`${this.name}: ${line}: exit code ${code}: ${output}`);
    return output.trim();
  }

  install(artifact: string, ...options: string[]): Outcome {
    return script('install', '-n', this.name, ...options, artifact);
  }

  /** Pid of its init, on this machine. */
  pid(): string {
    return readFileSync(join(HOME, 'dev', this.name, 'init.pid'), 'utf8').split(' ')[0]!;
  }

  /** Copies a file to `path` below /data. */
  copy(file: string, path: string): void {
    copyFileSync(file, join(HOME, 'dev', this.name, 'data', path));
  }

  /** Writes a file at `path` below /data. */
  write(path: string, content: string): void {
    writeFileSync(join(HOME, 'dev', this.name, 'data', path), content);
  }

  provides(): Record<string, string> {
    const lines = this.ask('mender show-provides 2> /dev/null').split('\n');
    return Object.fromEntries(lines.map((line) => line.split('=') as [string, string]));
  }

  /** Layers of the image that each running service of the project runs. */
  runs(project: string): Record<string, string[]> {
    const lines = this.ask(
      `for c in $(docker ps -q ${ofProject(project)}); do ` +
        `docker inspect -f '{{index .Config.Labels "com.docker.compose.service"}} {{.Image}}' $c | while read -r service image; do ` +
        `echo "$service $(docker image inspect -f '{{json .RootFS.Layers}}' $image)"; done; done`,
    );
    const entries = lines
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(' '));
    return Object.fromEntries(
      entries.map(([service, layers]): [string, string[]] => [service!, JSON.parse(layers!) as string[]]),
    );
  }

  /** Sums of files in the containers of services: service -> lines of sha256sum. */
  sums(project: string, files: Record<string, string[]>): Record<string, string[]> {
    const commands = Object.entries(files).map(
      ([service, paths]) =>
        `echo "$(docker exec ${this.container(project, service)} /bin/busybox sha256sum ${paths.join(' ')} | sed 's/^/${service} /')" &`,
    );
    const lines = this.ask(`${commands.join('\n')}\nwait`).split('\n');
    const sums: Record<string, string[]> = {};
    for (const line of lines) (sums[line.split(' ')[0]!] ??= []).push(line.slice(line.indexOf(' ') + 1));
    return sums;
  }

  container(project: string, service: string): string {
    return `$(docker ps -q ${ofProject(project)} --filter label=com.docker.compose.service=${service})`;
  }

  images(): string[] {
    return this.ask("docker image ls --format '{{.Repository}}:{{.Tag}}'").split('\n').filter(Boolean).sort();
  }
}
