import { execa } from 'execa';
import type { Cache } from '../../cache/cache.ts';
import { hasXzLibrary } from '../../compress/xzLibrary.ts';
import { UserError, messageOf } from '../../errors.ts';
import type { Http } from '../../http/http.ts';
import { discardResponse } from '../../http/exchange.ts';
import { formatBytes } from '../../io/amounts.ts';
import { diskOf } from '../../io/files.ts';
import type { Platform } from '../../oci/platform.ts';
import { formatReference, parseReference } from '../../oci/reference.ts';
import type { Api } from '../../server/api.ts';
import { listGroups } from '../../server/inventory.ts';
import { checkToken } from '../../server/login.ts';
import type { Images } from '../images/images.ts';
import type { CheckResult } from './finding.ts';
import { ok, problem, warning } from './finding.ts';

const OLDEST_NODE = [20, 19] as const;
/** Bytes. */
const LITTLE_DISK = 5e9;
/** Seconds. */
const SLOW_CLOCK = 300;
/** Characters that a program prints for its version. */
const LONGEST_VERSION = 1 << 16;

/**
 * Checks the programs that a build uses. Only Node.js is needed for every build, and xz where the
 * library for lzma can't be loaded.
 */
export async function checkPrograms(): Promise<CheckResult[]> {
  const programs: [name: string, args: string[], todo: string][] = [
    ['git', ['--version'], 'install git: without it no base is found by a tag'],
    [
      'mender-artifact',
      ['--version'],
      'install it only for its signing keys; --writer embedded needs nothing',
    ],
    ['ssh', ['-V'], 'install openssh-client, for --to and doctor --device'],
  ];
  const found = await Promise.all(
    programs.map(async ([name, args, todo]) => {
      const version = await versionOf(name, args);
      return version === undefined ? warning(name, 'not installed', todo) : ok(name, version);
    }),
  );
  const xz = judgeXz(await versionOf('xz', ['--version']), await hasXzLibrary());
  return [checkNode(process.versions.node), xz, ...found];
}

/**
 * Judges xz by the version that it prints, undefined for none. `hasLibrary`: there is another way.
 * Pure.
 */
export function judgeXz(version: string | undefined, hasLibrary: boolean): CheckResult {
  if (version !== undefined) return ok('xz', version);
  return hasLibrary
    ? warning('xz', 'not installed', 'install xz-utils: lzma is slower without it')
    : problem('xz', 'not installed', 'install xz (Debian: xz-utils): lzma needs it on this machine');
}

/** Judges a version of Node.js, like 20.19.0. */
export function checkNode(version: string): CheckResult {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  return isOld ? problem('Node.js', version, 'install Node.js 20.19 or newer') : ok('Node.js', version);
}

async function versionOf(name: string, args: string[]): Promise<string | undefined> {
  const { failed, all } = await execa(name, args, {
    reject: false,
    all: true,
    stdin: 'ignore',
    timeout: 10_000,
    maxBuffer: LONGEST_VERSION,
  });
  return failed ? undefined : (all.split('\n')[0] ?? '');
}

/** Checks that the cache can be written, and what is free on its disk. */
export async function checkCache(cache: Pick<Cache, 'root' | 'ensureWritable'>): Promise<CheckResult[]> {
  try {
    await cache.ensureWritable();
    const { free } = await diskOf(cache.root);
    const found = `${formatBytes(free)} free`;
    const todo = 'free some, choose another folder with --cache-dir, or run mender-docker-delta cache prune';
    return [ok('cache', cache.root), free < LITTLE_DISK ? warning('disk', found, todo) : ok('disk', found)];
  } catch (error) {
    return [failed('cache', error)];
  }
}

/** Looks up each image in its registry, with the credentials that a build would use. */
export function checkImages(
  names: readonly string[],
  platform: Platform,
  images: Pick<Images, 'locate'>,
): Promise<CheckResult[]> {
  return Promise.all(
    names.map(async (name) => {
      const check = `image ${name}`;
      try {
        const reference = parseReference(name);
        const { image, source } = await images.locate({ reference, platform });
        return ok(check, `${formatReference(image.reference)} in ${source.name}`);
      } catch (error) {
        return failed(check, error);
      }
    }),
  );
}

/** Checks the token, and the group if one is named. */
export async function checkServer(api: Api, group: string | undefined): Promise<CheckResult[]> {
  try {
    await checkToken(api);
    const token = ok('token', `accepted by ${api.host}`);
    return group === undefined ? [token] : [token, groupFinding(group, await listGroups(api))];
  } catch (error) {
    return [failed('token', error)];
  }
}

function groupFinding(group: string, groups: readonly string[]): CheckResult {
  if (groups.includes(group)) return ok('group', group);
  const known = groups.length === 0 ? 'the server has no groups' : `it has ${[...groups].sort().join(', ')}`;
  return problem('group', `no group ${group}: ${known}`, 'name one of them with --device-group');
}

/**
 * Compares this machine's clock with that of a server. An unreachable server is a problem only if
 * it is needed.
 */
export async function checkClock(
  host: string,
  isNeeded: boolean,
  http: Http,
  signal: AbortSignal,
): Promise<CheckResult> {
  try {
    const response = await http.request({
      method: 'GET',
      url: host,
      retry: false,
      timeoutMs: 15_000,
      signal,
    });
    const date = Date.parse(response.headers['date'] ?? '');
    await discardResponse(response);
    if (Number.isNaN(date)) return warning('clock', `${host} does not tell the time`, 'compare it by hand');
    const difference = Math.round(Math.abs(Date.now() - date) / 1000);
    if (difference < SLOW_CLOCK) return ok('clock', `that of ${host}`);
    return problem(
      'clock',
      `${difference} s away from ${host}`,
      'set it: tokens and certificates depend on it',
    );
  } catch (error) {
    if (isNeeded) return failed('server', error);
    return warning('server', messageOf(error), 'only uploads and deployments need it');
  }
}

function failed(check: string, error: unknown): CheckResult {
  const hint = error instanceof UserError ? error.hint : undefined;
  return problem(check, messageOf(error), hint ?? 'see the message');
}
