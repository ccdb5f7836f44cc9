import { UsageError } from '../errors.ts';
import type { Api } from '../server/api.ts';
import { getRelease, listReleases, setNotes, setReleaseTags } from '../server/releases.ts';
import type { ServerRelease } from '../server/releases.ts';
import { defineCommand } from './terminal/command.ts';
import type { Context, FlagsOf } from './terminal/command.ts';
import { formatBytes } from '../io/amounts.ts';
import { formatList, onOneLine } from './terminal/format.ts';
import { SERVER_OPTIONS, openServer } from './options/server.ts';

const ACTIONS = ['list', 'show', 'tag', 'notes'] as const;
type Action = (typeof ACTIONS)[number];

const SORTS = ['name', 'modified', 'artifacts_count', 'tags'].flatMap((field) => [
  `${field}:asc`,
  `${field}:desc`,
]);

const POSITIONALS = {
  action: { choices: ACTIONS, demandOption: true, describe: 'What to do' },
  release: { type: 'string', describe: 'Name of a release, for all actions but list' },
  text: { type: 'string', array: true, describe: 'tag: all its tags, none to see them; notes: the text' },
} as const;

const OPTIONS = {
  name: { actions: ['list'], type: 'string', describe: 'with this in the name' },
  tag: {
    actions: ['list'],
    type: 'string',
    array: true,
    describe: 'with this tag; repeatable: with any of them',
  },
  clear: { actions: ['tag'], type: 'boolean', describe: 'remove all its tags' },
  sort: { actions: ['list'], choices: SORTS, describe: 'order', defaultDescription: 'name:asc' },
  ...SERVER_OPTIONS,
} as const;

type Flags = FlagsOf<typeof POSITIONALS & typeof OPTIONS>;

/** `releases list|show|tag|notes` */
export const releasesCommand = defineCommand({
  usage: 'releases <action> [release] [text..]',
  describe: 'List and show releases (the artifacts of one name), set their tags and notes',
  examples: [
    ['$0 releases tag app-1.2 stable eu', 'its tags are these two'],
    ['$0 releases tag app-1.2', 'show its tags'],
    ['$0 releases notes app-1.2 "fixes the clock"', 'replace the notes'],
  ],
  positionals: POSITIONALS,
  options: OPTIONS,
  async run(flags, context) {
    const api = await openServer(flags, context);
    await RUN[flags.action](api, flags, context);
  },
});

const RUN: Record<Action, (api: Api, flags: Flags, context: Context) => Promise<void>> = {
  list: async (api, { name, tag = [], sort }, context) => {
    const found = await listReleases(api, { name, tags: tag, sort });
    context.report(found, releasesText(found));
  },
  show: async (api, flags, context) => {
    const release = await getRelease(api, nameOf(flags));
    context.report(release, releaseText(release));
  },
  tag: async (api, flags, context) => {
    const [name, tags] = [nameOf(flags), await showOrSetTags(api, flags)];
    const text = `tags of ${name}: ${tags.join(', ') || 'none'}`;
    context.report({ name, tags }, text);
  },
  notes: async (api, flags, context) => {
    const [name, notes] = [nameOf(flags), (flags.text ?? []).join(' ')];
    if (flags.text === undefined || flags.text.length === 0)
      throw new UsageError('releases notes: expected a text');
    await setNotes(api, name, notes);
    context.report({ name, notes }, `changed the notes of ${name}`);
  },
};

/** The tags of a release, after they are changed to those of the command line, if there are any. */
async function showOrSetTags(api: Api, flags: Flags): Promise<string[]> {
  const [name, given] = [nameOf(flags), [...new Set(flags.text ?? [])]];
  if (given.length > 0 && flags.clear === true)
    throw new UsageError('releases tag: expected tags or --clear, not both');
  if (given.length === 0 && flags.clear !== true) return (await getRelease(api, name)).tags ?? [];
  await setReleaseTags(api, name, given);
  return given;
}

function nameOf({ action, release }: Flags): string {
  if (release !== undefined) return release;
  throw new UsageError(`releases ${action}: expected the name of a release`, {
    hint: 'mender-docker-delta releases list shows them',
  });
}

function releasesText(releases: readonly ServerRelease[]): string {
  const rows = releases.map(({ name, artifacts = [], tags = [], modified = '', notes = '' }) => {
    return [
      name,
      String(artifacts.length),
      tags.join(','),
      modified.slice(0, 19),
      notes.split('\n')[0] ?? '',
    ];
  });
  return formatList('no releases', ['NAME', 'ARTIFACTS', 'TAGS', 'MODIFIED', 'NOTES'], rows, [1]);
}

function releaseText({ name, modified = '', tags = [], notes = '', artifacts = [] }: ServerRelease): string {
  const head = [`name: ${name}`, `modified: ${modified}`, `tags: ${tags.join(', ')}`, `notes: ${notes}`];
  const rows = artifacts.map((one) => [
    one.id,
    one.device_types_compatible.join(','),
    one.size === undefined ? '' : formatBytes(one.size),
    dependsText(one.artifact_depends ?? {}),
  ]);
  const table = formatList('', ['ARTIFACT', 'DEVICE TYPES', 'SIZE', 'DEPENDS'], rows, [2]);
  return [head.map(onOneLine).join('\n'), table].filter((part) => part !== '').join('\n\n');
}

function dependsText(depends: Record<string, string[]>): string {
  const others = Object.entries(depends).filter(([key]) => key !== 'device_type');
  return others.map(([key, values]) => `${key}=${values.join('|')}`).join(' ');
}
