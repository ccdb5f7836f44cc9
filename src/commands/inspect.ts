import { readArtifact } from '../mender/read/read.ts';
import type { ArtifactReport, ImageReport } from '../mender/read/report.ts';
import { artifactPlatform } from '../mender/read/artifactPlatform.ts';
import { readVerificationKey } from '../mender/sign.ts';
import { KEY_OPTION } from './options/key.ts';
import { defineCommand } from './terminal/command.ts';
import { formatBytes } from '../io/amounts.ts';
import { decoderText } from './terminal/decoderText.ts';
import { formatTable, onOneLine } from './terminal/format.ts';

/** `inspect FILE.mender` */
export const inspectCommand = defineCommand({
  usage: 'inspect <file>',
  describe: 'Check all checksums of a Mender Artifact, and show what is in it',
  examples: [
    ['$0 inspect shop-1.1.0.mender', 'header, services, images and layers'],
    ['$0 inspect shop-1.1.0.mender --key public.pem', 'verify the signature as well'],
  ],
  positionals: { file: { type: 'string', demandOption: true, describe: 'A .mender file' } },
  options: { key: KEY_OPTION },
  async run({ file, key }, context) {
    const { signal } = context;
    const options = key === undefined ? { signal } : { signal, key: await readVerificationKey(key) };
    const report = await readArtifact(file, options);
    context.report(report, describe(report));
  },
});

function describe(report: ArtifactReport): string {
  const { artifactName, deviceTypes, module, compression, size, signature } = report;
  const all: [string, string][] = [
    ['artifact', `${artifactName}, ${formatBytes(size)}, ${compression}`],
    ['for', deviceTypes.join(', ')],
    ['module', module],
    ['depends', pairsText(dependsOf(report))],
    ['provides', pairsText(report.provides)],
    ['clears', report.clears.join(', ')],
    ['decoder', decoderText(report, artifactPlatform(report))],
    ['scripts', report.scripts.map(({ path }) => path).join(', ') || 'none'],
    ['signature', SIGNATURES[signature]],
    ['checksums', 'all right'],
    ['files', report.files.map(({ path, size: bytes }) => `${path} (${formatBytes(bytes)})`).join(', ')],
    ['manifests', report.manifests.map(({ path }) => path).join(', ')],
  ];
  const facts = all.filter(([, value]) => value !== '');
  const width = facts.reduce((most, [name]) => Math.max(most, name.length), 0);
  const lines = facts.map(([name, value]) => `${name.padEnd(width)}  ${onOneLine(value)}`);
  if (report.images.length === 0) return lines.join('\n');
  return `${lines.join('\n')}\n\n${formatTable(['image', 'base', 'layer', 'kind', 'payload'], report.images.flatMap(imageRows), [4])}`;
}

const SIGNATURES = {
  none: 'none',
  unchecked: 'there, not verified (name the key with --key)',
  valid: 'valid',
} as const;

function dependsOf({
  depends,
  dependsOnArtifactNames,
  dependsOnGroups,
}: ArtifactReport): Record<string, unknown> {
  return {
    ...depends,
    ...(dependsOnArtifactNames.length > 0 ? { artifact_name: dependsOnArtifactNames.join(' or ') } : {}),
    ...(dependsOnGroups.length > 0 ? { artifact_group: dependsOnGroups.join(' or ') } : {}),
  };
}

function pairsText(values: Record<string, unknown>): string {
  const texts = Object.entries(values).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return texts.join(', ') || 'nothing';
}

function imageRows({ folder, image, base, layers, imageDelta }: ImageReport): string[][] {
  const title = [image ?? folder, base ?? ''];
  if (imageDelta !== undefined) return [[...title, '', 'delta of the whole image', formatBytes(imageDelta)]];
  return layers.map(({ diffID, kind, format, sent }, position) => [
    ...(position === 0 ? title : ['', '']),
    diffID?.slice(7, 19) ?? '',
    kind === 'omit' ? 'unchanged' : (format ?? kind),
    formatBytes(sent),
  ]);
}
