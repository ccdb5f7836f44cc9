import { existsSync } from 'node:fs';
import type { Cache } from '../cache/cache.ts';
import type { CacheEntry } from '../cache/entries.ts';
import type { ArtifactMetadata } from '../cache/metadata.ts';
import { IN_USE_MS } from '../cache/upkeep.ts';
import { cacheFolder, cacheLimits } from './options/cacheFolder.ts';
import { openCacheOf } from './open/openWorld.ts';
import { fileError } from '../io/files.ts';
import { defineCommand } from './terminal/command.ts';
import type { FlagsOf } from './terminal/command.ts';
import { formatBytes } from '../io/amounts.ts';
import { formatTable } from './terminal/format.ts';
import { parseSize } from './options/size.ts';
import { REMOTE_OPTIONS, pruneRemote, refuseRemoteFlags } from './pruneRemote.ts';

const ACTIONS = ['list', 'prune', 'verify', 'clear'] as const;
type Action = (typeof ACTIONS)[number];

const OPTIONS = {
  'cache-dir': { type: 'string', describe: 'Cache folder' },
  'limit-size': {
    actions: ['prune'],
    type: 'string',
    describe: 'bytes that the cache may hold, like 20G',
  },
  'limit-percent': {
    actions: ['prune'],
    type: 'number',
    describe: 'percent of the disk to keep free',
    defaultDescription: '20',
  },
  ...REMOTE_OPTIONS,
} as const;

type Flags = FlagsOf<typeof OPTIONS> & { action: Action };

/** `cache list|prune|verify|clear` */
export const cacheCommand = defineCommand({
  usage: 'cache <action>',
  describe: 'List, prune, verify or clear the cache',
  examples: [
    ['$0 cache list', 'what the cache holds, and which artifact the next build starts from'],
    ['$0 cache prune --limit-size 20G', 'remove the least recently used until 20 GB are left'],
    [
      '$0 cache prune --remote type=registry,ref=registry.example.com/shop/cache --older-than 30d',
      'delete from a shared cache what no run has needed for 30 days',
    ],
    ['$0 cache verify', 'read everything and remove what is damaged'],
  ],
  positionals: { action: { choices: ACTIONS, demandOption: true, describe: 'What to do' } },
  options: OPTIONS,
  async run(flags, context) {
    refuseRemoteFlags(flags, context);
    const { remote } = flags;
    if (remote !== undefined) return pruneRemote({ ...flags, remote }, context);
    const cache = openCacheOf(flags, context);
    const folder = cacheFolder(flags.cacheDir, context);
    const work = async (): Promise<Outcome> => ({
      read: flags.action === 'verify' ? (await cache.upkeep.list()).length : 0,
      entries: await RUN[flags.action](cache, flags),
      kept: await keptInUse(cache, flags),
      remembered: await cache.lastArtifacts.all(),
    });
    const outcome = await work().catch((error: unknown) => {
      throw fileError(error, `cache ${flags.action} in ${folder}`);
    });
    const { entries, remembered } = outcome;
    const isThere = existsSync(folder);
    context.report(
      { folder, entries, ...(flags.action === 'list' ? { remembered: Object.fromEntries(remembered) } : {}) },
      isThere ? describe(flags.action, folder, outcome) : `${folder}: there is no cache yet`,
    );
  },
});

interface Outcome {
  /** How many entries were verified. */
  read: number;
  /** What the action lists or has deleted. */
  entries: CacheEntry[];
  /** What is too new to be pruned. */
  kept: CacheEntry[];
  remembered: Map<string, ArtifactMetadata>;
}

/** What a limit would have pruned, if it were not in use. */
async function keptInUse({ upkeep }: Cache, { action, limitSize }: Flags): Promise<CacheEntry[]> {
  if (action !== 'prune' || limitSize === undefined) return [];
  const rest = await upkeep.list();
  const bytes = rest.reduce((sum, { size }) => sum + size, 0);
  return bytes > parseSize(limitSize, '--limit-size') ? rest.filter(isInUse) : [];
}

function isInUse({ used }: CacheEntry): boolean {
  return Date.now() - used < IN_USE_MS;
}

/** Each action returns the entries that it lists or has deleted. */
const RUN: Record<Action, (cache: Cache, flags: Flags) => Promise<CacheEntry[]>> = {
  list: async ({ upkeep }) => (await upkeep.list()).sort((a, b) => b.used - a.used),
  prune: ({ upkeep }, { limitSize, limitPercent }) =>
    upkeep.prune(cacheLimits({ size: limitSize, percent: limitPercent }, '--limit')),
  verify: ({ upkeep }) => upkeep.deleteDamaged(),
  clear: ({ upkeep }) => upkeep.clear(),
};

const SUMMARY: Record<Exclude<Action, 'verify'>, string> = {
  list: 'held',
  prune: 'removed',
  clear: 'removed',
};

function describe(action: Action, folder: string, { read, entries, kept, remembered }: Outcome): string {
  const all = `${read} ${read === 1 ? 'entry' : 'entries'} read`;
  const found = entries.length === 0 ? 'none is damaged' : `${amountOf(entries)} damaged and removed`;
  const summary = `${folder}: ${action === 'verify' ? `${all}, ${found}` : `${amountOf(entries)} ${SUMMARY[action]}`}`;
  const stays =
    kept.length === 0 ? [] : [`kept: ${amountOf(kept)}, because they were used within the last hour`];
  if (action === 'clear' || entries.length === 0) return [summary, ...stays].join('\n');
  const table = entriesTable(entries, remembered);
  if (action !== 'list') return [table, summary, ...stays].join('\n');
  return [table, '', ...sumsByKind(entries), summary, ...rememberedLines(remembered)].join('\n');
}

function amountOf(entries: readonly CacheEntry[]): string {
  const bytes = entries.reduce((sum, { size }) => sum + size, 0);
  return `${entries.length} ${entries.length === 1 ? 'entry' : 'entries'}, ${formatBytes(bytes)}`;
}

function entriesTable(entries: readonly CacheEntry[], remembered: Outcome['remembered']): string {
  const images = imagesByDigest(remembered);
  const rows = entries.map(({ kind, path, size, used, digest }) => [
    kind,
    path.split('/').at(-1)?.slice(0, 24) ?? '',
    images.get(digest ?? '')?.join(', ') ?? '',
    formatBytes(size),
    new Date(used).toISOString().slice(0, 16),
  ]);
  return formatTable(['kind', 'content', 'image of a last artifact', 'size', 'last used'], rows, [3]);
}

/**
 * The names of the images that a layer or config is a part of, as far as the last artifacts tell.
 */
function imagesByDigest(remembered: Outcome['remembered']): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { services } of remembered.values()) {
    for (const { image } of Object.values(services)) {
      for (const digest of [image.hash, ...(image.layers ?? []).map(({ diffID }) => diffID)]) {
        names.set(digest, [...new Set([...(names.get(digest) ?? []), image.ref])]);
      }
    }
  }
  return names;
}

function sumsByKind(entries: readonly CacheEntry[]): string[] {
  const kinds = [...new Set(entries.map(({ kind }) => kind))].sort();
  return kinds.map((kind) => `${kind}s: ${amountOf(entries.filter((entry) => entry.kind === kind))}`);
}

/** What the next build of each application starts from. */
function rememberedLines(remembered: Outcome['remembered']): string[] {
  return [...remembered].map(([name, { version, artifactName = '' }]) =>
    `next base of ${name}: ${version} ${artifactName === '' ? '' : `(${artifactName})`}`.trimEnd(),
  );
}
