import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const ROOTFS = join(REPOSITORY, '.device', 'rootfs');
const PLUGIN = 'usr/libexec/docker/cli-plugins/docker-compose';

/** A program and its first arguments: what runs Compose. */
export type ComposeCommand = readonly [string, ...string[]];

/**
 * The real Compose, version 2: of this machine, else that of the device (a program that needs nothing but the device's C
 * library). Undefined only when SKIP_DEVICE=1 says so; otherwise its absence fails the test.
 */
export function findCompose(): ComposeCommand | undefined {
  const candidates: ComposeCommand[] = [['docker', 'compose'], ['docker-compose'], ...onDevice()];
  const found = candidates.find(isVersion2);
  if (found !== undefined) return found;
  if (process.env['SKIP_DEVICE'] === '1') {
    console.warn('SKIP_DEVICE=1: nothing is compared with the real docker compose');
    return undefined;
  }
  throw new Error(
    'no Compose v2 here: build the device with scripts/device/build-rootfs, or set SKIP_DEVICE=1',
  );
}

function onDevice(): ComposeCommand[] {
  const plugin = join(ROOTFS, PLUGIN);
  const loader = join(ROOTFS, 'lib64/ld-linux-x86-64.so.2');
  const libraries = join(ROOTFS, 'usr/lib/x86_64-linux-gnu');
  return existsSync(plugin) ? [[loader, '--library-path', libraries, plugin], [plugin]] : [];
}

function isVersion2(command: ComposeCommand): boolean {
  try {
    return / v?2\./.test(compose(command, ['version'], '/', {}));
  } catch {
    return false;
  }
}

/** Runs Compose in a folder, with PATH and this environment alone; returns its stdout, throws with its stderr. */
export function compose(
  command: ComposeCommand,
  args: readonly string[],
  cwd: string,
  environment: Record<string, string>,
): string {
  const [program, ...first] = command;
  const env = { PATH: process.env['PATH'], HOME: '/root', ...environment };
  return execFileSync(program, [...first, ...args], {
    cwd,
    env,
    encoding: 'utf8',
    timeout: 20_000,
    killSignal: 'SIGKILL',
    stdio: 'pipe',
  });
}
