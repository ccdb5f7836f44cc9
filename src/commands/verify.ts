import { IntegrityError } from '../errors.ts';
import { readVerificationKey } from '../mender/sign.ts';
import type { DeviceEstimate, StoreEstimate } from '../pipeline/verify/estimate.ts';
import { fitProblems, deviceLimitsOf, unfitError } from '../pipeline/verify/fit.ts';
import type { Verification, VerifiedImage } from '../pipeline/verify/verify.ts';
import { verifyArtifact } from '../pipeline/verify/verify.ts';
import { BUILD_OPTIONS } from './options/build.ts';
import { KEY_OPTION } from './options/key.ts';
import { DEVICE_LIMITS, deviceLimits } from './options/deviceLimits.ts';
import { defineCommand } from './terminal/command.ts';
import { formatBytes } from '../io/amounts.ts';
import { decoderText } from './terminal/decoderText.ts';
import { formatTable, onOneLine } from './terminal/format.ts';
import { openWorld } from './open/openWorld.ts';

const {
  mode,
  'insecure-registry': insecureRegistry,
  'max-layer-size': maxLayerSize,
  'cache-dir': cacheDir,
  library,
} = BUILD_OPTIONS;
const { 'device-free': deviceFree, 'device-memory': deviceMemory } = DEVICE_LIMITS;

/** `verify FILE.mender --base ..` */
export const verifyCommand = defineCommand({
  usage: 'verify <file>',
  describe: 'Do with an artifact what a device would, and say whether it ends up with the new images',
  examples: [
    ['$0 verify shop-1.1.0.mender --base shop-1.0.0.mender', 'a delta against the full artifact before'],
    ['$0 verify shop-1.1.0.mender --base registry.example.com/shop/web:1.0.0', 'against an image'],
  ],
  positionals: { file: { type: 'string', demandOption: true, describe: 'A .mender file' } },
  options: {
    base: {
      type: 'string',
      array: true,
      describe:
        'What devices run: a .mender file, an image archive, an image name, library://REFERENCE, or oci://HOST/REPO:TAG for an artifact of a registry; repeatable',
    },
    key: KEY_OPTION,
    'device-free': deviceFree,
    'device-memory': deviceMemory,
    mode,
    'insecure-registry': insecureRegistry,
    'max-layer-size': maxLayerSize,
    'cache-dir': cacheDir,
    library,
  },
  async run({ file, base = [], key, ...flags }, context) {
    const publicKey = key === undefined ? undefined : await readVerificationKey(key);
    const limits = deviceLimitsOf({ devices: [], ...deviceLimits(flags) });
    const verified = await verifyArtifact(file, base, openWorld(flags, context), publicKey);
    const unfit = fitProblems(verified.estimate, limits);
    const verification = { ...verified, problems: [...verified.problems, ...unfit] };
    context.report(verification, verificationText(verification));
    const [first, ...more] = verified.problems;
    if (first === undefined && unfit.length === 0) return;
    if (first === undefined) throw unfitError(file, unfit);
    throw new IntegrityError(
      `${file}: ${first}${more.length > 0 ? ` (and ${more.length} more, see above)` : ''}`,
      { hint: hintFor(verification) },
    );
  },
});

function hintFor({ madeFrom }: Verification): string {
  const last = 'do not ship it; build it again';
  if (madeFrom === null) return last;
  return `it was made from version ${madeFrom}: give that version with --base. If you did, ${last}`;
}

function verificationText(verification: Verification): string {
  const table = formatTable(
    ['image', 'base', 'layer', 'kind', 'layer size', 'payload'],
    verification.images.flatMap(imageRows),
    [4, 5],
  );
  // An artifact can hold line ends in every text.
  return [table, '', ...factsOf(verification).map(onOneLine)].join('\n');
}

function factsOf(verification: Verification): string[] {
  const { artifactName, madeFrom, module, size, estimate, problems, signature } = verification;
  const { decoder, platform } = verification;
  const { readBytes } = estimate;
  return [
    `artifact: ${artifactName}, ${formatBytes(size)}, for update module ${module}`,
    `          ${madeFrom === null ? 'full: it needs no base' : `for devices with version ${madeFrom}`}`,
    `device:   ${storeText('classic', estimate.classic)}`,
    `          ${storeText('containerd', estimate.containerd)}`,
    ...(readBytes === 0 ? [] : [`          ${decodingText(estimate)}`]),
    ...(decoder === null ? [] : [`decoder:  ${decoderText(verification, platform ?? undefined)}`]),
    `signature: ${SIGNATURES[signature]}`,
    ...problems.map((problem) => `problem:  ${problem}`),
    `verdict:  ${problems.length === 0 ? 'good' : 'NOT good'}`,
  ];
}

function decodingText({ memoryBytes, leastMemoryBytes, readBytes }: DeviceEstimate): string {
  const least = leastMemoryBytes < memoryBytes ? ` (at least ${formatBytes(leastMemoryBytes)})` : '';
  return `${formatBytes(memoryBytes)} of memory${least} and ${formatBytes(readBytes)} read to decode (estimated)`;
}

function storeText(store: string, { peakBytes, storeBytes, writtenBytes }: StoreEstimate): string {
  const [peak, grown, written] = [peakBytes, storeBytes, writtenBytes].map(formatBytes);
  return `${store} store: ${peak} of free disk, ${grown} of it for the images; ${written} written`;
}

const SIGNATURES: Record<Verification['signature'], string> = {
  none: 'none',
  unchecked: 'NOT checked (name the key with --key)',
  valid: 'valid',
};

function imageRows({ folder, image, base, layers }: VerifiedImage): string[][] {
  return layers.map(({ diffID, kind, format, size, sent }, position) => [
    ...(position === 0 ? [image ?? folder, base ?? ''] : ['', '']),
    diffID?.slice(7, 19) ?? '',
    kind === 'omit' ? 'unchanged' : (format ?? kind),
    formatBytes(size),
    formatBytes(sent),
  ]);
}
