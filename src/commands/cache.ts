import type { CacheEntry } from '../cache/entries.ts';
import type { CacheUpkeep } from '../cache/upkeep.ts';
import { KEPT_FREE_PERCENT, cacheFolder } from './options/cacheFolder.ts';
import { openCacheOf } from './openWorld.ts';
import { fileError } from '../io/files.ts';
import { defineCommand } from './terminal/command.ts';
import type { FlagsOf } from './terminal/command.ts';
import { UsageError } from '../errors.ts';
import { formatBytes, formatTable } from './terminal/format.ts';
import { parseSize } from './options/request.ts';

const ACTIONS = ['ls', 'prune', 'verify', 'clear'] as const;
type Action = (typeof ACTIONS)[number];

const OPTIONS = {
  'cache-dir': { type: 'string', describe: 'Cache folder' },
  'limit-size': {
    type: 'string',
    describe: 'prune: bytes that the cache may hold, like 20G',
  },
  'limit-percent': {
    type: 'number',
    describe: 'prune: percent of the disk to keep free',
    defaultDescription: '20',
  },
} as const;

/** `cache ls|prune|verify|clear` */
export const cacheCommand = defineCommand({
  usage: 'cache <action>',
  describe: 'List, prune, verify or clear the cache',
  examples: [
    ['$0 cache ls', 'what the cache holds'],
    ['$0 cache prune --limit-size 20G', 'remove the least recently used until 20 GB are left'],
    ['$0 cache verify', 'read everything and remove what is damaged'],
  ],
  positionals: { action: { choices: ACTIONS, demandOption: true, describe: 'What to do' } },
  options: OPTIONS,
  async run(flags, context) {
    const { upkeep } = openCacheOf(flags, context);
    const folder = cacheFolder(flags.cacheDir, context);
    const entries = await RUN[flags.action](upkeep, flags).catch((error: unknown) => {
      throw fileError(error, `cache ${flags.action} in ${folder}`);
    });
    context.report({ folder, entries }, describe(flags.action, folder, entries));
  },
});

/** Each action returns the entries that it lists or has deleted. */
const RUN: Record<Action, (upkeep: CacheUpkeep, flags: FlagsOf<typeof OPTIONS>) => Promise<CacheEntry[]>> = {
  ls: async (upkeep) => (await upkeep.list()).sort((a, b) => b.used - a.used),
  prune: (upkeep, { limitSize, limitPercent }) =>
    upkeep.prune({
      limitSize: limitSize === undefined ? undefined : parseSize(limitSize, '--limit-size'),
      limitPercent: percentOf(limitPercent ?? KEPT_FREE_PERCENT),
    }),
  verify: (upkeep) => upkeep.deleteDamaged(),
  clear: (upkeep) => upkeep.clear(),
};

function percentOf(value: number): number {
  if (value >= 0 && value <= 100) return value;
  throw new UsageError(`--limit-percent ${value}: expected 0 to 100`, {
    hint: 'it is the part of the disk to keep free, like 20',
  });
}

function bytesOf(entries: readonly CacheEntry[]): number {
  return entries.reduce((sum, { size }) => sum + size, 0);
}

const SUMMARY: Record<Action, string> = {
  ls: 'held',
  prune: 'removed',
  verify: 'damaged and removed',
  clear: 'removed',
};

function describe(action: Action, folder: string, entries: readonly CacheEntry[]): string {
  const summary = `${folder}: ${entries.length} entries, ${formatBytes(bytesOf(entries))} ${SUMMARY[action]}`;
  if (action === 'clear' || entries.length === 0) return summary;
  const rows = entries.map(({ kind, path, size, used }) => [
    kind,
    path.split('/').at(-1)?.slice(0, 24) ?? '',
    formatBytes(size),
    new Date(used).toISOString().slice(0, 16),
  ]);
  return `${formatTable(['kind', 'content', 'size', 'last used'], rows, [2])}\n${summary}`;
}
