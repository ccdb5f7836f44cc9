import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const ROOTFS = join(REPOSITORY, '.device', 'rootfs');
const PLUGIN = 'usr/libexec/docker/cli-plugins/docker-compose';

/** A program and its first arguments: what runs Compose. */
export type ComposeCommand = readonly [string, ...string[]];

/**
 * The Compose that a device has: of this machine, else of the device's root file system. Undefined
 * only if SKIP_DEVICE=1 is set; otherwise throws if there is none.
 */
export function findCompose(): ComposeCommand | undefined {
  const candidates: ComposeCommand[] = [['docker', 'compose'], ['docker-compose'], ...onDevice()];
  return candidates.find(isVersion2) ?? skipped('build the device with scripts/device/build');
}

/** The newest Compose of Debian. Undefined only if SKIP_DEVICE=1 is set. */
export function findNewestCompose(): ComposeCommand | undefined {
  const candidates: ComposeCommand[] = [[join(REPOSITORY, '.compose/docker-compose')]];
  return candidates.find(isVersion2) ?? skipped('run scripts/lib/reference-compose');
}

function skipped(how: string): ComposeCommand | undefined {
  if (process.env['SKIP_DEVICE'] !== '1') throw new Error(`no Compose v2 here: ${how}, or set SKIP_DEVICE=1`);
  console.warn('SKIP_DEVICE=1: nothing is compared with the real docker compose');
  return undefined;
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

/**
 * Runs Compose in a folder, with PATH and this environment alone; returns its stdout, throws with
 * its stderr.
 */
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
