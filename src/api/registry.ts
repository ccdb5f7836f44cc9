import { resolve } from 'node:path';
import { optional } from 'valibot';
import { registryAccess } from '../commands/open/openRegistry.ts';
import { modificationTime } from '../commands/options/request.ts';
import { parseOciReference, parseTaggedReference } from '../pipeline/images/registryArtifact.ts';
import type { PullReport } from '../pipeline/publish/pullArtifact.ts';
import { pullArtifact } from '../pipeline/publish/pullArtifact.ts';
import type { PushReport } from '../pipeline/publish/pushArtifact.ts';
import { pushArtifact } from '../pipeline/publish/pushArtifact.ts';
import { openFiles } from '../registry/files/context.ts';
import { BUILD_SCHEMA } from './build.ts';
import { checkArgument, checkOptions } from './checkOptions.ts';
import type { SchemaOf } from './checkOptions.ts';
import type { RunOptions } from './run.ts';
import { contextOf } from './run.ts';
import { flag, text } from './schemas.ts';
import { withoutSecrets } from './withoutSecrets.ts';

export interface PushOptions {
  /** Moves a tag that names something else. */
  force?: boolean;
  insecureRegistry?: string[];
}

const { insecureRegistry } = BUILD_SCHEMA;
const PUSH_SCHEMA: SchemaOf<PushOptions> = { force: optional(flag), insecureRegistry };

/**
 * Stores an artifact in a container registry as `HOST/REPO:TAG`, with the SBOM and the provenance
 * that are next to it. Throws UsageError if the tag names something else, DeniedError without the
 * right to push, and NetworkError.
 */
export async function push(
  file: string,
  reference: string,
  options: PushOptions = {},
  run: RunOptions = {},
): Promise<PushReport> {
  checkArgument('file', file, text);
  checkArgument('reference', reference, text);
  checkOptions(options, PUSH_SCHEMA);
  const context = contextOf(run);
  const request = {
    path: resolve(context.folder, file),
    force: options.force ?? false,
    created: modificationTime(context.environment).modificationTime,
  };
  return withoutSecrets(() => {
    const files = openFiles(registryAccess(options, context), 'pull,push', context.signal);
    return pushArtifact({ ...request, reference: parseTaggedReference(reference) }, files, context);
  });
}

export interface PullOptions {
  /** The file to write. The default is the name that the artifact was pushed with. */
  output?: string;
  /** Writes the SBOM and the provenance next to it as well. */
  sbom?: boolean;
  /** Replaces files that have other content. */
  force?: boolean;
  insecureRegistry?: string[];
}

const PULL_SCHEMA: SchemaOf<PullOptions> = {
  ...PUSH_SCHEMA,
  output: optional(text),
  sbom: optional(flag),
};

/**
 * Downloads the artifact that `HOST/REPO:TAG` or `HOST/REPO@DIGEST` names. The file appears once it
 * is verified. Throws UsageError if it exists with other content, NotFoundError,
 * UnsupportedError for anything but a Mender Artifact, IntegrityError and NetworkError.
 */
export async function pull(
  reference: string,
  options: PullOptions = {},
  run: RunOptions = {},
): Promise<PullReport> {
  checkArgument('reference', reference, text);
  checkOptions(options, PULL_SCHEMA);
  const context = contextOf(run);
  const { folder, signal } = context;
  const { output, sbom = false, force = false } = options;
  const request = {
    output: output === undefined ? undefined : resolve(folder, output),
    ...{ folder, sbom, force },
  };
  return withoutSecrets(() => {
    const files = openFiles(registryAccess(options, context), 'pull', signal);
    return pullArtifact({ ...request, reference: parseOciReference(reference) }, files, context);
  });
}
