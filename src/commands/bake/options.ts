import { MATRIX_SYSTEMS } from '../../bake/matrix.ts';
import { BUILD_OPTIONS, BUILD_POSITIONALS } from '../options/build.ts';
import { BUILD_CACHE_OPTIONS } from '../options/cache.ts';
import { SERVER_OPTIONS } from '../options/server.ts';
import { without } from '../options/settings.ts';
import type { FlagsOf, OptionTable } from '../terminal/command.ts';

const WHICH = 'Which targets:';
const HOW = 'How to build:';

const {
  force,
  sign,
  'sign-with': signWith,
  'max-layer-size': maxLayerSize,
  mode,
  'insecure-registry': insecureRegistry,
  library,
} = BUILD_OPTIONS;

/** Options of `build` that hold for all targets, and that no file of a project decides. */
const OF_RUN = {
  ...{ force, sign, 'sign-with': signWith, 'insecure-registry': insecureRegistry, library },
  'max-layer-size': maxLayerSize,
  ...BUILD_CACHE_OPTIONS,
} as const;

export const BAKE_POSITIONALS = {
  target: {
    type: 'string',
    array: true,
    describe: 'Targets, groups, or TARGET@PLATFORM; the group default if it is left out',
  },
} as const;

/** Options of `bake`. */
export const BAKE_OPTIONS = {
  file: {
    group: WHICH,
    alias: 'f',
    type: 'string',
    placeholder: 'FILE',
    describe: 'The bake file, or its folder',
    defaultDescription: './mender-bake.yaml',
  },
  set: {
    group: WHICH,
    type: 'string',
    array: true,
    separator: '\n',
    placeholder: 'TARGET.KEY=VALUE',
    describe:
      'Another value for a setting of a target; * in TARGET is any text; repeatable, in a variable or action input one on each line',
  },
  shard: {
    group: WHICH,
    type: 'string',
    placeholder: 'PART/PARTS',
    describe: 'Build only one of several parts with about the same work, like 2/5',
  },
  print: { group: WHICH, type: 'boolean', describe: 'Print the targets as JSON, and build nothing' },
  'list-matrix': {
    group: WHICH,
    choices: MATRIX_SYSTEMS,
    placeholder: 'SYSTEM',
    describe: 'Print the matrix for this CI system, and build nothing',
  },
  jobs: {
    group: HOW,
    type: 'number',
    describe: 'Builds at once; they share the processors',
    defaultDescription: 'as many as processors and memory allow',
  },
  upload: {
    group: HOW,
    type: 'boolean',
    describe: 'Upload each artifact (--no-upload: remember them as local builds)',
    defaultDescription: 'only build',
  },
  mode,
  ...OF_RUN,
  ...SERVER_OPTIONS,
} as const;

export type BakeFlags = FlagsOf<typeof BAKE_POSITIONALS & typeof BAKE_OPTIONS>;

/** What a target of a bake file may hold, in addition to `inherits` and `variables`. */
export const TARGET_SETTINGS: OptionTable = {
  ...BUILD_POSITIONALS,
  ...without(BUILD_OPTIONS, new Set(Object.keys(OF_RUN))),
};

/** What says which targets are built, and how many at once. */
const OF_BAKE = new Set(['target', 'file', 'set', 'shard', 'print', 'listMatrix', 'jobs']);

/** The options of the command line that hold for every target. */
export function runFlags(flags: BakeFlags): Partial<BakeFlags> {
  return Object.fromEntries(Object.entries(flags).filter(([name]) => !OF_BAKE.has(name)));
}
