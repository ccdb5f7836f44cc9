import { resolve } from 'node:path';
import { formatBytes } from '../io/amounts.ts';
import { parseReleaseReference } from '../pipeline/images/registryArtifact.ts';
import type { PullReport } from '../pipeline/publish/pullArtifact.ts';
import { pullArtifact } from '../pipeline/publish/pullArtifact.ts';
import { openFiles } from '../registry/files/context.ts';
import { registryAccess } from './open/openRegistry.ts';
import { BUILD_OPTIONS } from './options/build.ts';
import type { Context } from './terminal/command.ts';
import { defineCommand } from './terminal/command.ts';

const { 'insecure-registry': insecureRegistry } = BUILD_OPTIONS;

/** `pull HOST/REPO:TAG` */
export const pullCommand = defineCommand({
  usage: 'pull <reference>',
  describe: 'Download a Mender Artifact from a container registry',
  examples: [
    ['$0 pull registry.example.com/shop/releases:1.1.0', 'after a break, run it again to resume'],
    [
      '$0 pull registry.example.com/shop/releases:1.1.0 -o shop.mender --sbom',
      'with its SBOM and provenance',
    ],
  ],
  positionals: {
    reference: {
      type: 'string',
      demandOption: true,
      describe: 'HOST/REPO:TAG or HOST/REPO@DIGEST, also after oci://',
    },
  },
  options: {
    output: {
      alias: 'o',
      type: 'string',
      placeholder: 'FILE',
      describe: 'File to write',
      defaultDescription: 'the name that it was pushed with',
    },
    sbom: { type: 'boolean', describe: 'Write its SBOM and provenance next to it' },
    force: { type: 'boolean', describe: 'Replace files that have other content' },
    'insecure-registry': insecureRegistry,
  },
  async run(flags, context) {
    const report = await pullByFlags(flags, context);
    context.report(report, pulledText(report));
  },
});

interface PullFlags {
  reference: string;
  output?: string;
  sbom?: boolean;
  force?: boolean;
  insecureRegistry?: string[];
}

/** Downloads what the flags name. Throws what `parseReleaseReference` and `pullArtifact` throw. */
export async function pullByFlags(flags: PullFlags, context: Context): Promise<PullReport> {
  const { reference, output, sbom = false, force = false } = flags;
  const { folder, signal } = context;
  const request = {
    reference: parseReleaseReference(reference),
    output: output === undefined ? undefined : resolve(folder, output),
    ...{ folder, sbom, force },
  };
  const files = openFiles(registryAccess(flags, context), 'pull', signal);
  return pullArtifact(request, files, context);
}

function pulledText({ reference, path, size, outcome, attached }: PullReport): string {
  const what = `${reference} (${formatBytes(size)})`;
  const first = outcome === 'present' ? `${path} is ${what} already` : `pulled ${what} to ${path}`;
  return [first, ...attached.map((one) => `wrote ${one.path}`)].join('\n');
}
