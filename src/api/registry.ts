import { optional } from 'valibot';
import { pullByFlags } from '../commands/pull.ts';
import { pushByFlags } from '../commands/push.ts';
import type { PullReport } from '../pipeline/publish/pullArtifact.ts';
import type { PushReport } from '../pipeline/publish/pushArtifact.ts';
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
  return withoutSecrets(() => pushByFlags({ ...options, file, reference }, context));
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
  return withoutSecrets(() => pullByFlags({ ...options, reference }, context));
}
