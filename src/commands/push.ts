import { resolve } from 'node:path';
import { formatBytes } from '../io/amounts.ts';
import { parseTaggedReference } from '../pipeline/images/registryArtifact.ts';
import type { PushReport } from '../pipeline/publish/pushArtifact.ts';
import { pushArtifact } from '../pipeline/publish/pushArtifact.ts';
import { openFiles } from '../registry/files/context.ts';
import { registryAccess } from './open/openRegistry.ts';
import { BUILD_OPTIONS } from './options/build.ts';
import { modificationTime } from './options/request.ts';
import type { Context } from './terminal/command.ts';
import { defineCommand } from './terminal/command.ts';

const { 'insecure-registry': insecureRegistry } = BUILD_OPTIONS;

/** `push FILE HOST/REPO:TAG` */
export const pushCommand = defineCommand({
  usage: 'push <file> <reference>',
  describe: 'Store a Mender Artifact in a container registry, with its SBOM and provenance',
  examples: [
    ['$0 push shop-1.1.0.mender registry.example.com/shop/releases:1.1.0', 'doing it again changes nothing'],
  ],
  positionals: {
    file: { type: 'string', demandOption: true, describe: 'A .mender file' },
    reference: { type: 'string', demandOption: true, describe: 'Where to: HOST/REPO:TAG, also after oci://' },
  },
  options: {
    force: { type: 'boolean', describe: 'Move a tag that names something else' },
    'insecure-registry': insecureRegistry,
  },
  async run(flags, context) {
    const report = await pushByFlags(flags, context);
    context.report(report, pushedText(flags.file, report));
  },
});

interface PushFlags {
  file: string;
  reference: string;
  force?: boolean;
  insecureRegistry?: string[];
}

/**
 * Stores the file that the flags name. Throws what `parseTaggedReference` and `pushArtifact` throw.
 */
export async function pushByFlags(flags: PushFlags, context: Context): Promise<PushReport> {
  const { file, reference, force = false } = flags;
  const request = {
    ...{ path: resolve(context.folder, file), reference: parseTaggedReference(reference), force },
    created: modificationTime(context.environment).modificationTime,
  };
  const files = openFiles(registryAccess(flags, context), 'pull,push', context.signal);
  return pushArtifact(request, files, context);
}

function pushedText(file: string, { reference, digest, size, outcome, attached }: PushReport): string {
  const name = `${reference}@${digest}`;
  const verb = outcome === 'present' ? 'was there already, now named' : 'pushed as';
  const lines = attached.map(({ path }) => `attached ${path}`);
  return [`${file} (${formatBytes(size)}) ${verb} ${name}`, ...lines].join('\n');
}
