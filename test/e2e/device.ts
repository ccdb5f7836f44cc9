import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const SCRIPTS = resolve('scripts/device');
/** Folder of all devices and their root filesystem. */
export const HOME = process.env['DEVICE_HOME'] ?? resolve('.device');

/** What a command inside the device did. */
export interface Outcome {
  code: number;
  output: string;
}

/**
 * Why the device tests do not run, or undefined. They are left out on demand only; where they can't
 * run, they fail.
 */
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

/**
 * How the module docker-compose behaves: as that of September 2026, or as those of October 2025 to
 * August 2026.
 */
export type Generation = '2026-09' | '2025-10';

/**
 * What runs on a store: each store with one generation. The classic store also has the faults of
 * `app`, but of docker-compose only the faults that depend on the store, and three of the ten
 * releases in a row. The application that changes in every way has two of its three versions, and
 * only with docker-compose. With DEVICE_TESTS=all everything runs on both, which takes twice as
 * long.
 */
export function matrixOf(store: 'graph' | 'ctd'): Matrix {
  const all: Matrix = {
    ...{ generations: ['2026-09', '2025-10'], withApp: true, withLargeApp: true },
    ...{ withEveryFault: true, releases: 10, versions: 3 },
  };
  if (process.env['DEVICE_TESTS'] === 'all') return all;
  const some = { withLargeApp: false, versions: 2 } as const;
  return store === 'ctd'
    ? { ...some, generations: ['2026-09'], withApp: false, withEveryFault: true, releases: 10 }
    : { ...some, generations: ['2025-10'], withApp: true, withEveryFault: false, releases: 3 };
}

interface Matrix {
  generations: Generation[];
  withApp: boolean;
  /** Also the faults of docker-compose that are the same on both stores. */
  withEveryFault: boolean;
  /** Module `app` with the application that changes in every way. */
  withLargeApp: boolean;
  /** How many follow one another in the test of the disk. */
  releases: number;
  /** Of the application that changes in every way: the first is full, each other a delta. */
  versions: 2 | 3;
}

/** A test device: its image store follows from its name (`ctd` in it: containerd). */
export class Device {
  readonly name: string;
  readonly generation: Generation;
  /** Folder of all devices; the default is that of all suites. */
  readonly home: string;

  constructor(name: string, generation: Generation = '2026-09', home: string = HOME) {
    this.name = name;
    this.generation = generation;
    this.home = home;
  }

  #script(name: string, ...argv: string[]): Outcome {
    const module = this.generation === '2026-09' ? '' : this.generation;
    const env = { ...process.env, DEVICE_HOME: this.home, DEVICE_MODULE: module };
    const options = { encoding: 'utf8', timeout: 600_000, env } as const;
    const { status, stdout, stderr } = spawnSync(join(SCRIPTS, name), argv, options);
    return { code: status ?? -1, output: readable(stdout + stderr) };
  }

  /**
   * Starts it with nothing installed. `files` are put into its root filesystem: path -> content.
   */
  fresh(files: Record<string, string> = {}): void {
    if (!existsSync(join(this.home, 'rootfs/etc/mender/built')))
      throw new Error(
        'there is no test device: run scripts/device/build as root, or the tests with SKIP_DEVICE=1',
      );
    this.#script('down', this.name, '--wipe', '--kill');
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.home, 'dev', this.name, 'upper', path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
    this.up();
  }

  up(): void {
    const { code, output } = this.#script('up', this.name);
    if (code !== 0) throw new Error(`the test device ${this.name} does not start: ${output}`);
  }

  /** Stops it, and keeps its state for `restore`. */
  save(): void {
    this.down();
    this.forget();
    mkdirSync(join(this.home, 'saved'), { recursive: true });
    execFileSync('cp', ['-a', join(this.home, 'dev', this.name), join(this.home, 'saved', this.name)]);
  }

  /** Cuts its power, and starts it in the state that `save` has kept. */
  restore(): void {
    this.down('--wipe', '--kill');
    execFileSync('cp', ['-a', join(this.home, 'saved', this.name), join(this.home, 'dev', this.name)]);
    this.up();
  }

  /** Deletes what `save` has kept. */
  forget(): void {
    rmSync(join(this.home, 'saved', this.name), { recursive: true, force: true });
  }

  down(...options: string[]): void {
    this.#script('down', this.name, ...options);
  }

  /** Runs a shell line inside. */
  run(line: string): Outcome {
    return this.#script('run', '-n', this.name, 'sh', '-c', line);
  }

  /** Output of a shell line that must succeed. */
  ask(line: string): string {
    const { code, output } = this.run(line);
    if (code !== 0) throw new Error(`${this.name}: ${line}: exit code ${code}: ${output}`);
    return output.trim();
  }

  install(artifact: string, ...options: string[]): Outcome {
    return this.#script('install', '-n', this.name, ...options, artifact);
  }

  /** Pid of its init, on this machine. */
  pid(): string {
    return readFileSync(join(this.home, 'dev', this.name, 'init.pid'), 'utf8').split(' ')[0]!;
  }

  /** Copies a file to `path` below /data. */
  copy(file: string, path: string): void {
    copyFileSync(file, join(this.home, 'dev', this.name, 'data', path));
  }

  /** Writes a file at `path` below /data. */
  write(path: string, content: string): void {
    writeFileSync(join(this.home, 'dev', this.name, 'data', path), content);
  }

  provides(): Record<string, string> {
    const lines = this.ask('mender show-provides 2> /dev/null').split('\n');
    return Object.fromEntries(lines.map((line) => line.split('=') as [string, string]));
  }

  /** Layers of the image that each running service of the project runs. */
  runs(project: string): Record<string, string[]> {
    const what = '{{index .Config.Labels "com.docker.compose.service"}} {{.Image}}';
    const containers = this.ask(`docker inspect -f '${what}' $(docker ps -q ${ofProject(project)})`);
    const [services, images] = [0, 1].map((word) =>
      containers.split('\n').map((line) => line.split(' ')[word]!),
    ) as [string[], string[]];
    const layers = this.ask(`docker image inspect -f '{{json .RootFS.Layers}}' ${images.join(' ')}`);
    const lists = layers.split('\n').map((line) => JSON.parse(line) as string[]);
    return Object.fromEntries(services.map((service, index) => [service, lists[index]!]));
  }

  /** Sums of files in the containers of services: service -> lines of sha256sum. */
  sums(project: string, files: Record<string, string[]>): Record<string, string[]> {
    const format = '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Pid}}';
    const pids = this.ask(`docker inspect -f '${format}' $(docker ps -q ${ofProject(project)})`);
    const commands = pids.split('\n').map((line) => {
      const [service, pid] = line.split(' ') as [string, string];
      const command = `chroot /proc/${pid}/root /bin/busybox sha256sum ${files[service]?.join(' ')}`;
      return `${command} | sed 's/^/${service} /'`;
    });
    const lines = this.ask(commands.join('\n')).split('\n');
    const sums: Record<string, string[]> = {};
    for (const line of lines) (sums[line.split(' ')[0]!] ??= []).push(line.slice(line.indexOf(' ') + 1));
    return sums;
  }

  images(): string[] {
    return this.ask("docker image ls --format '{{.Repository}}:{{.Tag}}'").split('\n').filter(Boolean).sort();
  }
}
