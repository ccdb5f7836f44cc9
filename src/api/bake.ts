import { optional } from 'valibot';
import { bakeBuilds, planBake } from '../commands/bake/bake.ts';
import type { BakeReport } from '../commands/bake/bakeReport.ts';
import { bakeReport } from '../commands/bake/bakeReport.ts';
import type { SchemaOf } from './checkOptions.ts';
import { checkOptions } from './checkOptions.ts';
import type { RunOptions } from './run.ts';
import { contextOf } from './run.ts';
import { amount, optionOf, text, texts } from './schemas.ts';
import { withoutSecrets } from './withoutSecrets.ts';

/**
 * What to build of a bake file. The names and values are those of the command line, in camel case.
 */
export interface BakeOptions {
  /** The bake file, or its folder. The default is `mender-bake.yaml` in the folder. */
  file?: string;
  /** Targets, groups, or `TARGET@PLATFORM`. The default is the group `default`. */
  target?: string[];
  /** `TARGET.KEY=VALUE`; `*` in the target is any text. */
  set?: string[];
  /** One of several parts with about the same work, like `2/5`. */
  shard?: string;
  /** Builds at once. */
  jobs?: number;
  /** True: files with other artifacts are replaced. */
  force?: boolean;
  mode?: 'registry-first' | 'local-first' | 'online' | 'offline';
  insecureRegistry?: string[];
  library?: string;
  /** Largest uncompressed layer, like `16G`. */
  maxLayerSize?: string;
  /** A private key (PEM file) to sign with. */
  sign?: string;
  /** A shell command to sign with: it gets the manifest on stdin and prints the signature. */
  signWith?: string;
  /**
   * True: the artifacts that the cache remembers may be bases. False by default, unlike on the
   * command line.
   */
  cache?: boolean;
  cacheDir?: string;
  /** Where deltas come from: `type=registry,ref=HOST/REPO[:TAG]` or `type=local,src=FOLDER`. */
  cacheFrom?: string[];
  /** Where deltas go to: `type=registry,ref=HOST/REPO[:TAG]` or `type=local,dest=FOLDER`. */
  cacheTo?: string[];
  /** A PEM file with either half of the key that signs a shared cache. */
  cacheKey?: string;
}

const BAKE_SCHEMA: SchemaOf<BakeOptions> = {
  ...{ file: optional(text), target: optional(texts), set: optional(texts), shard: optional(text) },
  jobs: optional(amount),
  force: optionOf('force'),
  mode: optionOf('mode'),
  insecureRegistry: optionOf('insecure-registry'),
  library: optionOf('library'),
  maxLayerSize: optionOf('max-layer-size'),
  sign: optionOf('sign'),
  signWith: optionOf('sign-with'),
  cache: optionOf('cache'),
  cacheDir: optionOf('cache-dir'),
  cacheFrom: optionOf('cache-from'),
  cacheTo: optionOf('cache-to'),
  cacheKey: optionOf('cache-key'),
};

/**
 * Builds the targets of a bake file, several at a time, as the command `bake` does. Uploads
 * nothing, and does not change what the cache remembers as the last artifact. A build that fails
 * does not stop the others: its report has the error. Throws a UserError for a fault of the bake
 * file, and if two builds would write one file.
 */
export async function bake(options: BakeOptions = {}, run: RunOptions = {}): Promise<BakeReport[]> {
  checkOptions(options, BAKE_SCHEMA);
  const flags = { cache: false, upload: false, ...options };
  const context = contextOf(run);
  return withoutSecrets(async () => {
    const { builds } = await planBake(flags, context);
    return (await bakeBuilds(builds, flags, context, false)).ended.map(bakeReport);
  });
}
