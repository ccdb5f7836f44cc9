import { BUILD_CACHE_OPTIONS } from './cache.ts';
import { EFFORTS, ENCODERS } from '../../delta/layer.ts';
import { COMPRESSIONS, MODULES, WRITERS } from '../../mender/spec.ts';
import { DECODERS } from '../../pipeline/request.ts';
import { MODES } from '../../pipeline/images/sources.ts';
import type { FlagsOf } from '../terminal/command.ts';
import { DEVICE_LIMITS } from './deviceLimits.ts';
import { LIBRARY_ADDRESS } from './library.ts';

const WHAT = 'What to build:';
const BASE = 'What to build against:';
const IMAGES = 'Where images come from:';
const DELTAS = 'Deltas:';
const ARTIFACT = 'The artifact:';

export const BUILD_POSITIONALS = {
  manifest: {
    type: 'string',
    array: true,
    placeholder: 'COMPOSE-FILE',
    describe: 'Compose files, or their folder; later ones override',
  },
} as const;

/** What follows `--` on the line of a command that builds. */
export const PASSED_ON = 'Arguments for mender-artifact; they need --writer mender-artifact';

/**
 * Options of `build` and `plan`. Defaults are set after the `x-mender` of the Compose file is read.
 */
export const BUILD_OPTIONS = {
  'device-type': {
    group: WHAT,
    alias: 't',
    type: 'string',
    array: true,
    describe: 'Device type that the artifact is for; repeatable',
  },
  platform: {
    group: WHAT,
    alias: 'p',
    type: 'string',
    array: true,
    describe:
      'os/arch[/variant] of the devices, like linux/arm64; several with commas or repeated: one artifact for each',
  },
  'manifest-name': {
    group: WHAT,
    alias: 'm',
    type: 'string',
    describe: 'Name of the application and its software',
    defaultDescription: "Compose's name, else <repository folder>-<folder of the Compose file>",
  },
  'artifact-version': {
    group: WHAT,
    type: 'string',
    describe: 'Version of the new artifact',
    defaultDescription: 'with --release the file VERSION, else a development version',
  },
  'artifact-filename': {
    placeholder: 'FILE',
    group: WHAT,
    alias: 'a',
    type: 'string',
    describe: 'File to write; not for several artifacts of one run',
    defaultDescription: '<name>-<version>.mender',
  },
  force: { group: WHAT, type: 'boolean', describe: 'Replace an artifact file that has other content' },
  'service-image': {
    placeholder: 'SERVICE=IMAGE',
    group: WHAT,
    alias: 'i',
    type: 'string',
    array: true,
    describe: 'SERVICE=IMAGE: another image for a service; repeatable',
  },
  'service-file': {
    placeholder: 'SERVICE=FILE',
    group: WHAT,
    alias: 'f',
    type: 'string',
    array: true,
    describe: 'SERVICE=FILE: an image archive for a service; wins over -i; repeatable',
  },
  profile: { group: WHAT, type: 'string', array: true, describe: 'Compose profile to include; repeatable' },
  'env-file': {
    group: WHAT,
    type: 'string',
    array: true,
    describe: 'Env file to read in place of .env; repeatable',
  },
  release: {
    group: BASE,
    alias: 'r',
    type: 'boolean',
    describe: 'Build the version in the file VERSION, against the version that the file had before',
  },
  'previous-version': {
    placeholder: 'REF',
    group: BASE,
    type: 'string',
    array: true,
    describe: 'Git tag, branch or commit of the base; repeatable: one artifact for each',
  },
  base: {
    placeholder: 'FILE',
    group: BASE,
    type: 'string',
    array: true,
    describe:
      '[VERSION=]FILE: a .mender file, an image archive or a metadata JSON as the base, mender://NAME: an artifact of the server, or oci://HOST/REPO:TAG: one of a registry; repeatable',
  },
  locked: {
    group: BASE,
    type: 'boolean',
    describe: 'Fail if an image is not the one in the lock file (see the command lock)',
  },
  'also-full': { group: BASE, type: 'boolean', describe: 'Make a full artifact as well' },
  'strict-base': {
    group: BASE,
    type: 'boolean',
    describe: 'Install only on devices that have exactly the artifact of the base',
  },
  mode: {
    group: IMAGES,
    choices: MODES,
    describe: 'Where to look for images, and in which order',
    defaultDescription: 'registry-first',
  },
  'insecure-registry': {
    placeholder: 'HOST',
    group: IMAGES,
    type: 'string',
    array: true,
    describe: 'HOST[:PORT] that speaks plain http; repeatable',
  },
  library: { group: IMAGES, ...LIBRARY_ADDRESS },
  'max-layer-size': {
    group: IMAGES,
    type: 'string',
    describe: 'Largest uncompressed layer',
    defaultDescription: '16G',
  },
  delta: {
    group: DELTAS,
    type: 'boolean',
    describe: 'Ship only what changed; --no-delta ships everything',
    defaultDescription: 'true',
  },
  encoder: {
    group: DELTAS,
    choices: ['auto', ...ENCODERS] as const,
    describe: 'What makes the deltas',
    defaultDescription: 'auto: builtin',
  },
  effort: {
    group: DELTAS,
    choices: EFFORTS,
    describe: 'Time spent on smaller deltas',
    defaultDescription: 'default',
  },
  module: {
    group: ARTIFACT,
    choices: MODULES,
    describe: 'Update module of the devices',
    defaultDescription: 'that of the base, else docker-compose',
  },
  'decode-on-device': {
    placeholder: 'WHEN',
    group: ARTIFACT,
    choices: ['auto', 'never'] as const,
    describe: 'Layer deltas for the docker-compose module, through a state script',
    defaultDescription: 'auto',
  },
  decoder: {
    group: ARTIFACT,
    choices: DECODERS,
    describe: "What decodes deltas: the devices' xdelta3, or a decoder in the artifact",
    defaultDescription:
      'auto: xdelta3; carried if a --device-report has no xdelta3, or if smaller with --effort best',
  },
  preload: {
    group: ARTIFACT,
    type: 'boolean',
    describe: 'Load images before the docker-compose module stops the old application',
    defaultDescription: 'for deltas and large artifacts',
  },
  compression: {
    group: ARTIFACT,
    choices: COMPRESSIONS,
    describe: "The artifact's own compression",
    defaultDescription: 'auto',
  },
  writer: {
    group: ARTIFACT,
    choices: WRITERS,
    describe: 'What writes the artifact',
    defaultDescription: 'auto: mender-artifact if installed',
  },
  'software-filesystem': {
    group: ARTIFACT,
    type: 'string',
    describe: 'First part of the provides keys',
    defaultDescription: 'that of the base, else data-docker (docker-compose) or rootfs-image (app)',
  },
  'allow-key-change': {
    group: ARTIFACT,
    type: 'boolean',
    describe: 'Ship everything whole if --module or --software-filesystem differ from the base',
  },
  ...DEVICE_LIMITS,
  sign: { group: ARTIFACT, type: 'string', placeholder: 'FILE', describe: 'Private key (PEM) to sign with' },
  'sign-with': {
    group: ARTIFACT,
    type: 'string',
    placeholder: 'COMMAND',
    describe: 'Shell command to sign with: gets the manifest on stdin, prints the signature',
  },
  verify: {
    group: ARTIFACT,
    type: 'boolean',
    describe: 'Check the finished artifact as a device would use it',
    defaultDescription: 'true',
  },
  'report-html': {
    group: ARTIFACT,
    type: 'string',
    placeholder: 'FILE',
    describe: 'Write an HTML page that shows which files of the artifact cost most, and why',
  },
  sbom: { group: ARTIFACT, type: 'boolean', describe: 'Write an SBOM and a provenance next to the artifact' },
  'server-kind': {
    group: ARTIFACT,
    choices: ['open-source', 'enterprise'] as const,
    describe:
      'How to name several artifacts of one run: open-source gives each its own name; enterprise gives all the same, and the server chooses by their dependencies',
    defaultDescription: 'open-source',
  },
  ...BUILD_CACHE_OPTIONS,
} as const;

/** What the command line and the environment say; what neither says is undefined. */
export type BuildFlags = FlagsOf<typeof BUILD_POSITIONALS & typeof BUILD_OPTIONS> & {
  /** What follows `--`. */
  '--'?: string[];
  upload?: boolean;
  menderHost?: string;
  tokenFile?: string;
};
