import { resolve } from 'node:path';
import { UsageError } from '../../errors.ts';
import type { Api } from '../../server/api.ts';
import { downloadArtifact, streamArtifact } from '../../server/download.ts';
import { resolveArtifact } from '../../server/resolve.ts';
import { askHead } from '../../server/storedFile.ts';
import { runDelete } from './delete.ts';
import { artifactText, runDetail, runList } from './list.ts';
import { ARTIFACT_OPTIONS, ARTIFACT_POSITIONALS } from '../options/artifacts.ts';
import type { ArtifactAction, ArtifactsFlags } from '../options/artifacts.ts';
import { runPrune } from './prune.ts';
import { runAdd, runUpdate } from './store.ts';
import { defineCommand } from '../terminal/command.ts';
import type { Context } from '../terminal/command.ts';
import { formatBytes } from '../../io/amounts.ts';
import { onOneLine } from '../terminal/format.ts';
import { openServer } from '../options/server.ts';

/** `artifacts list|show|detail|head|download|add|update|delete|prune` */
export const artifactsCommand = defineCommand({
  usage: 'artifacts <action> [artifact..]',
  describe: 'List, show, look for, download, add, change, delete or prune artifacts on the server',
  examples: [
    ["$0 artifacts list --name 'app-*' --sort modified:desc", 'the newest versions of app first'],
    ['$0 artifacts download app-1.2 -o app.mender', 'download; the next run resumes after an interruption'],
    [
      '$0 artifacts add --location https://ci.example.com/app.mender',
      'from there to the server, without a copy here',
    ],
    ['$0 artifacts delete --query name=app-0.* --dry-run', 'what would be deleted'],
    ['$0 artifacts prune app --restrict-major 2', 'keep the newest of each X.Y, of two majors'],
  ],
  positionals: ARTIFACT_POSITIONALS,
  options: ARTIFACT_OPTIONS,
  async run(flags, context) {
    const { action } = flags;
    // A map may name several servers.
    if (action === 'prune') return runPrune(flags, context);
    await RUN[action](await openServer(flags, context), flags, context);
  },
});

type Run = (api: Api, flags: ArtifactsFlags, context: Context) => Promise<void>;

const RUN: Record<Exclude<ArtifactAction, 'prune'>, Run> = {
  list: runList,
  show: async (api, flags, context) => {
    const artifact = await resolveArtifact(api, only(flags));
    context.report(artifact, artifactText(artifact));
  },
  detail: runDetail,
  head: async (api, flags, context) => {
    const { id, name, ...artifact } = await resolveArtifact(api, only(flags));
    const file = await askHead(api, { id, name, ...artifact });
    const lines = Object.entries({
      id,
      name,
      size: String(file.size ?? artifact.size ?? ''),
      ...file.headers,
    });
    const text = lines.map(([key, value]) => onOneLine(`${key}: ${value}`)).join('\n');
    context.report({ id, name, ...file }, text);
  },
  download: async (api, flags, context) => {
    const artifact = await resolveArtifact(api, only(flags));
    if (flags.output === '-') return context.write(streamArtifact(api, artifact, context.log));
    const path = resolve(context.folder, flags.output ?? fileName(artifact.name));
    const done = await downloadArtifact(api, artifact, path, context);
    const text = `downloaded ${artifact.name} (${formatBytes(done.size)}) to ${done.path}`;
    context.report({ id: artifact.id, name: artifact.name, ...done }, text);
  },
  add: runAdd,
  update: runUpdate,
  delete: runDelete,
};

function only({ action, artifact = [] }: ArtifactsFlags): string {
  const [first, ...more] = artifact;
  if (first !== undefined && more.length === 0) return first;
  throw new UsageError(
    `artifacts ${action}: expected the id or name of one artifact, found ${artifact.length}`,
  );
}

/** A file name without slashes: a name from the server must not lead out of the folder. */
function fileName(name: string): string {
  return `${name.replace(/[/\\\0]/g, '_')}.mender`;
}
