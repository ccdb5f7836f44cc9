import type { InferOutput } from 'valibot';
import {
  array,
  boolean,
  finite,
  literal,
  minValue,
  number,
  object,
  optional,
  picklist,
  pipe,
  record,
  safeParse,
  string,
} from 'valibot';
import { UsageError } from '../errors.ts';
import { readUserFile } from '../io/readUserFile.ts';

const BYTES = pipe(number(), finite(), minValue(0));

const PLACE = object({
  path: string(),
  /** Where its file system is mounted. */
  mount: string(),
  /** Bytes. Undefined if df does not tell it. */
  free: optional(BYTES),
  noexec: boolean(),
  readonly: boolean(),
});

const REPORT = object({
  format: literal(1),
  machine: string(),
  isRoot: boolean(),
  deviceType: optional(string()),
  client: optional(object({ name: string(), version: string() })),
  /** What the client says that the device is. */
  provides: record(string(), string()),
  /** The beginning of the SHA-256 of each update module. */
  modules: record(string(), string()),
  docker: optional(
    object({
      command: string(),
      version: string(),
      api: string(),
      /** Of Docker itself, like linux/arm; reports of old probes lack it. */
      platform: optional(string()),
      compose: optional(string()),
    }),
  ),
  /** Docker's image store, and where it keeps the content. */
  store: optional(object({ kind: picklist(['classic', 'containerd']), place: optional(PLACE) })),
  xdelta3: optional(object({ version: string(), lzma: boolean() })),
  /** gnu, busybox or other, by program; a program that is missing is left out. */
  tools: record(string(), string()),
  /** Where the client unpacks artifacts. */
  work: optional(PLACE),
  /** Where the client keeps state scripts. */
  scripts: optional(PLACE),
  /** Bytes. */
  memory: optional(object({ free: BYTES, total: BYTES })),
  /** Seconds since 1970. */
  clock: optional(number()),
  /** Lines of the probe that this version does not know. */
  unknown: array(string()),
});

/** What a probe found on a device. */
export type DeviceReport = InferOutput<typeof REPORT>;
export type DevicePlace = InferOutput<typeof PLACE>;

/** A report that an artifact is built for. */
export interface NamedReport extends DeviceReport {
  /** Where it comes from, for messages: `the report pi.json`. */
  origin: string;
}

const FIRST_LINE = 'mender-docker-delta probe 1';

/** The keys of a probe of this version. */
const KNOWN_LINE =
  /(?:^|[\s"])((?:client|compose|docker|memory|module|provides|scripts|store|tool|work|xdelta3)\.[^\s:]+|machine|user|client|device_type|docker|store|clock): (.*)$/;

/**
 * Parses what the probe printed. Takes a whole deployment log as well, where something may come
 * before each line. Throws UsageError, which names `origin`, if it is no report or not a whole one.
 */
export function parseProbe(text: string, origin: string): DeviceReport {
  // The Go client writes the lines of a script into one line of its log.
  const lines = text
    .replaceAll('\\n', '\n')
    .split('\n')
    .map((line) => line.trim().replace(/"$/, ''));
  const first = lines.findLastIndex((line) => line.endsWith(FIRST_LINE));
  const words = wordsOf(lines[first]?.slice(0, -FIRST_LINE.length) ?? '');
  const last = lines.findIndex((line, index) => index > first && /(^|[\s"])end$/.test(line));
  if (first < 0 || last < 0) {
    throw new UsageError(`${origin}: expected the report of a probe, from "${FIRST_LINE}" to "end"`, {
      hint: 'run mender-docker-delta doctor --device, or copy the whole log of the deployment',
    });
  }
  const pairs = lines.slice(first + 1, last).map((line) => pairOf(line, words));
  return reportOf(linesIn(new Map(pairs), origin));
}

function wordsOf(prefix: string): number {
  return prefix.split(/\s+/).length - 1;
}

/**
 * The key and value in a line. A log may write a time, a level and a number before them, of another
 * length in each line, but of as many `words` as before the first line. Only a key that this
 * version does not know is found by them.
 */
function pairOf(line: string, words: number): [string, string] {
  const known = KNOWN_LINE.exec(line);
  if (known !== null) return [known[1] ?? '', known[2] ?? ''];
  const text = line.split(/\s+/).slice(words).join(' ');
  const [, key = text, value = ''] = /^([^\s:]+): (.*)$/.exec(text) ?? [];
  return [key, value];
}

/** The lines of a probe that no part of the report has taken yet. */
interface Lines {
  take: (key: string) => string | undefined;
  /** Throws UsageError for a value that is not a whole number. */
  takeNumber: (key: string) => number | undefined;
  /** Takes all lines whose key starts so, by the rest of the key. */
  below: (start: string) => Record<string, string>;
  left: () => string[];
}

function linesIn(found: Map<string, string>, origin: string): Lines {
  const take = (key: string): string | undefined => {
    const value = found.get(key);
    found.delete(key);
    return value;
  };
  return {
    take,
    takeNumber: (key) => numberOf(take(key), `${origin}: ${key}`),
    below(start) {
      const keys = [...found.keys()].filter((key) => key.startsWith(start));
      return Object.fromEntries(keys.map((key) => [key.slice(start.length), take(key) ?? '']));
    },
    left: () => [...found.keys()],
  };
}

function reportOf(lines: Lines): DeviceReport {
  const { take, takeNumber, below } = lines;
  return {
    format: 1,
    machine: take('machine') ?? '',
    isRoot: take('user') === '0',
    deviceType: take('device_type'),
    client: clientOf(lines),
    provides: below('provides.'),
    modules: below('module.'),
    docker: dockerOf(lines),
    store: storeOf(lines),
    xdelta3: xdelta3Of(lines),
    tools: below('tool.'),
    work: placeOf(lines, 'work'),
    scripts: placeOf(lines, 'scripts'),
    memory: memoryOf(lines),
    clock: takeNumber('clock'),
    unknown: lines.left(),
  };
}

function clientOf({ take }: Lines): DeviceReport['client'] {
  const name = take('client');
  const version = take('client.version') ?? '';
  return name === undefined ? undefined : { name, version };
}

function dockerOf({ take }: Lines): DeviceReport['docker'] {
  const command = take('docker');
  const [version, api] = [take('docker.version') ?? '', take('docker.api') ?? ''];
  const [platform, compose] = [take('docker.platform'), take('compose.version')];
  return command === undefined ? undefined : { command, version, api, platform, compose };
}

function storeOf(lines: Lines): DeviceReport['store'] {
  const kind = lines.take('store');
  const place = placeOf(lines, 'store');
  return kind === 'classic' || kind === 'containerd' ? { kind, place } : undefined;
}

function xdelta3Of({ take }: Lines): DeviceReport['xdelta3'] {
  const version = take('xdelta3.version');
  const lzma = take('xdelta3.lzma') === 'yes';
  return version === undefined ? undefined : { version, lzma };
}

function memoryOf({ takeNumber }: Lines): DeviceReport['memory'] {
  const [free, total] = [takeNumber('memory.free'), takeNumber('memory.total')];
  return free === undefined || total === undefined ? undefined : { free, total };
}

/** A disk that uses what is reserved for root may have less than nothing free. */
function numberOf(text: string | undefined, what: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^-?\d{1,20}$/.test(text)) return Math.max(0, Number(text));
  throw new UsageError(`${what}: expected a number, found ${JSON.stringify(text)}`, {
    hint: 'run mender-docker-delta doctor --device again, or copy the whole log of the deployment',
  });
}

function placeOf({ takeNumber, below }: Lines, key: string): DevicePlace | undefined {
  const free = takeNumber(`${key}.free`);
  const { path, mount, noexec, readonly } = below(`${key}.`);
  if (path === undefined) return undefined;
  return {
    path,
    mount: mount ?? '',
    free,
    noexec: noexec === 'yes',
    readonly: readonly === 'yes',
  };
}

/**
 * Reads a report: the JSON of `doctor --device --json`, or the text of a probe or of a deployment
 * log. Throws what `readUserFile` throws, and UsageError for anything else.
 */
export async function readDeviceReport(path: string): Promise<DeviceReport> {
  const doing = `reading the report of a device from ${path}`;
  const text = (await readUserFile(path, { doing })).toString('utf8');
  return text.trimStart().startsWith('{') ? parseJson(text, path) : parseProbe(text, path);
}

function parseJson(text: string, path: string): DeviceReport {
  const wrong = (found: string): UsageError =>
    new UsageError(`reading ${path}: expected the report of a device, found ${found}`, {
      hint: 'write it with: mender-docker-delta doctor --device ssh://root@HOST --json',
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong('broken JSON');
  }
  const reports = (value as { devices?: { report?: unknown }[] } | null)?.devices ?? [];
  if (reports.length > 1) throw wrong(`reports of ${reports.length} devices`);
  const result = safeParse(REPORT, reports[0]?.report ?? value);
  if (result.success) return result.output;
  throw wrong(`other JSON (${result.issues[0].message})`);
}

/** The versions of all applications that the device reports, by key. */
export function versionsOf({ provides }: DeviceReport): Record<string, string> {
  return Object.fromEntries(Object.entries(provides).filter(([key]) => key.endsWith('.version')));
}
