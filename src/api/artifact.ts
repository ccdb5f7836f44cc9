import { createPublicKey } from 'node:crypto';
import { resolve } from 'node:path';
import { instance, optional, union } from 'valibot';
import { openWorld } from '../commands/open/openWorld.ts';
import { UsageError } from '../errors.ts';
import { readArtifact } from '../mender/read/read.ts';
import type { ArtifactReport } from '../mender/read/report.ts';
import type { Verification } from '../pipeline/verify/verify.ts';
import { verifyArtifact } from '../pipeline/verify/verify.ts';
import { checkArgument, checkOptions } from './checkOptions.ts';
import type { SchemaOf } from './checkOptions.ts';
import type { RunOptions } from './run.ts';
import { contextOf } from './run.ts';
import { withoutSecrets } from './withoutSecrets.ts';
import { BUILD_SCHEMA } from './build.ts';
import { text } from './schemas.ts';

export interface InspectOptions {
  /**
   * A public or private key in PEM. It verifies the signature; an unsigned artifact is then an
   * IntegrityError.
   */
  key?: string | Uint8Array;
}

const INSPECT_SCHEMA: SchemaOf<InspectOptions> = {
  key: optional(union([text, instance(Uint8Array)], 'a string or bytes')),
};

/**
 * Reads an artifact, compares all its checksums, and returns its metadata and content. Throws
 * NotFoundError, IntegrityError, UnsupportedError, and UsageError for an invalid key.
 */
export async function inspect(
  file: string,
  options: InspectOptions = {},
  run: RunOptions = {},
): Promise<ArtifactReport> {
  checkArgument('file', file, text);
  checkOptions(options, INSPECT_SCHEMA);
  const { folder, signal } = contextOf(run);
  const { key } = options;
  return readArtifact(resolve(folder, file), key === undefined ? { signal } : { signal, key: parseKey(key) });
}

function parseKey(key: string | Uint8Array): ReturnType<typeof createPublicKey> {
  try {
    return createPublicKey(typeof key === 'string' ? key : Buffer.from(key));
  } catch (error) {
    throw new UsageError('inspecting an artifact: expected a key in PEM', { cause: error });
  }
}

export interface VerifyOptions extends InspectOptions {
  /**
   * What devices run: `.mender` files, image archives and image names. A full artifact needs none.
   */
  base?: string[];
  mode?: 'registry-first' | 'local-first' | 'online' | 'offline';
  insecureRegistry?: string[];
  maxLayerSize?: string;
  cacheDir?: string;
}

const { base, mode, insecureRegistry, maxLayerSize, cacheDir } = BUILD_SCHEMA;
const VERIFY_SCHEMA: SchemaOf<VerifyOptions> = {
  ...INSPECT_SCHEMA,
  ...{ base, mode, insecureRegistry, maxLayerSize, cacheDir },
};

/**
 * Applies an artifact to its bases as a device would. The artifact is good if `problems` is empty.
 * Throws IntegrityError for an artifact that can't be read, and UsageError for a delta without a
 * base.
 */
export async function verify(
  file: string,
  options: VerifyOptions = {},
  run: RunOptions = {},
): Promise<Verification> {
  checkArgument('file', file, text);
  checkOptions(options, VERIFY_SCHEMA);
  const context = contextOf(run);
  const { base = [], key, ...places } = options;
  const path = resolve(context.folder, file);
  return withoutSecrets(() =>
    verifyArtifact(path, base, openWorld(places, context), key === undefined ? key : parseKey(key)),
  );
}
