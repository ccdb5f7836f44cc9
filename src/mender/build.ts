import { stat } from 'node:fs/promises';
import { UnsupportedError, UsageError } from '../errors.ts';
import { writeAtomically } from '../io/files.ts';
import { HAS_ZSTD, zstdUnsupported } from '../compress/zstd.ts';
import { appPayload } from './write/appPayload.ts';
import { composePayload } from './write/composePayload.ts';
import type { PackContext } from './write/packing.ts';
import { writeEmbedded } from './write/embedded.ts';
import type { PackImages, Payload } from './write/files.ts';
import { packingOf, toolCompressionOf } from './write/packing.ts';
import { reachOf } from './write/repeats.ts';
import { DEFAULT_MTIME } from '../tar/tar.ts';
import { firstPemBlock, readSigningKey } from './sign.ts';
import { signWith } from './signWith.ts';
import { isWorthSplicing, splicedPayloadFile } from './write/spliced.ts';
import type { ArtifactSpec, ArtifactSummary, Compression, WriterName } from './spec.ts';
import type { ToolVersion } from './tool/tool.ts';
import { refuseExtraArguments, toolMissing, toolVersion } from './tool/tool.ts';
import { canCompress, canSign } from './tool/arguments.ts';
import { writeWithTool } from './tool/writer.ts';

/**
 * Builds the artifact, and moves it to `destination` once it is whole. A failure leaves nothing at
 * `destination`. Holds no layer in memory. Throws UsageError, UnsupportedError and ToolError for
 * what the user can fix.
 */
export async function buildArtifact(
  spec: ArtifactSpec,
  destination: string,
  context: PackContext,
): Promise<ArtifactSummary> {
  refuseControlCharacters(spec);
  const stored = payloadOf(spec);
  const payloadSize = stored.files.reduce((sum, { size }) => sum + size, 0);
  const keepsGzip = spec.compression === 'auto' && isWorthSplicing(spec.images, payloadSize);
  const payload = keepsGzip ? payloadOf(spec, splicedPayloadFile) : stored;
  const packed: ArtifactSpec = keepsGzip ? { ...spec, compression: 'none' } : spec;
  const writer = await chosenWriter(packed, payload, payloadSize);
  await writeAtomically(destination, async (path) => {
    await writer.write(path, context);
    await signBy(spec, path, context);
  });
  return {
    path: destination,
    size: (await stat(destination)).size,
    writer: writer.name,
    compression: writer.compression,
    payloadSize,
    keepsGzip,
    hasScripts: stored.scripts.length > 0,
    signed: spec.signKey !== undefined || spec.signCommand !== undefined,
  };
}

async function signBy(
  { signCommand, modificationTime: mtime = DEFAULT_MTIME }: ArtifactSpec,
  path: string,
  { signal }: PackContext,
): Promise<void> {
  if (signCommand !== undefined) await signWith(signCommand, path, { mtime, ...(signal && { signal }) });
}

/**
 * Throws UsageError for a control character in a name: devices, servers and command lines cut or
 * split names there.
 */
function refuseControlCharacters(spec: ArtifactSpec): void {
  const names: [string, string | undefined][] = [
    ['artifact name', spec.artifactName],
    ['software name', spec.softwareName],
    ['software filesystem', spec.softwareFilesystem],
    ['version', spec.softwareVersion],
    ['version that it depends on', spec.dependsOnVersion],
    ['name of the artifact that it depends on', spec.dependsOnArtifactName],
    ...spec.deviceTypes.map((type): [string, string] => ['device type', type]),
  ];
  const wrong = names.find(([, name]) => name !== undefined && /[\0-\x1f\x7f]/.test(name));
  if (wrong === undefined) return;
  throw new UsageError(`packing: the ${wrong[0]} ${JSON.stringify(wrong[1])} holds a control character`, {
    hint: 'use letters, digits and punctuation',
  });
}

function payloadOf(spec: ArtifactSpec, pack?: PackImages): Payload {
  return spec.module === 'app' ? appPayload(spec, pack) : composePayload(spec, pack);
}

interface Writer {
  name: WriterName;
  compression: Compression;
  write(path: string, context: PackContext): Promise<unknown>;
}

/**
 * `auto` is mender-artifact if it is installed and can do what is asked, else the embedded writer.
 */
async function chosenWriter(spec: ArtifactSpec, payload: Payload, size: number): Promise<Writer> {
  if (spec.writer === 'embedded') return embeddedWriter(spec, payload, size);
  const version = await toolVersion();
  if (version !== undefined) {
    const compression = toolCompressionOf(spec.compression, size);
    const isAble = canCompress(version, compression) && (await readsKey(version, spec.signKey));
    if (spec.writer !== 'auto' || isAble) {
      return toolWriter(spec, payload, compression, version);
    }
  }
  if (spec.writer === 'mender-artifact') throw toolMissing();
  return embeddedWriter(spec, payload, size);
}

async function toolWriter(
  spec: ArtifactSpec,
  payload: Payload,
  compression: Compression,
  version: ToolVersion,
): Promise<Writer> {
  // mender-artifact's own errors name neither the file nor the remedy.
  if (spec.signKey !== undefined) await readSigningKey(spec.signKey);
  if (!(await readsKey(version, spec.signKey))) throw keyUnreadable(version, spec.signKey);
  const input = { spec, payload, compression, version };
  return {
    name: 'mender-artifact',
    compression,
    write: (path, context) => writeWithTool(input, path, context),
  };
}

async function readsKey(version: ToolVersion, key: string | undefined): Promise<boolean> {
  return key === undefined || canSign(version, await firstPemBlock(key));
}

function keyUnreadable(version: ToolVersion, key = ''): UnsupportedError {
  return new UnsupportedError(`mender-artifact ${version.join('.')} can't read the signing key ${key}`, {
    hint: ({ option }) =>
      `use ${option('writer', 'embedded')}, or write the key in its older form: openssl pkey -in ${key} -traditional -out key.pem`,
  });
}

async function embeddedWriter(spec: ArtifactSpec, payload: Payload, size: number): Promise<Writer> {
  refuseExtraArguments(spec.extraArguments);
  const packing = packingOf(spec.compression, size, reachOf(spec.images));
  if (packing.compression === 'zstd' && !HAS_ZSTD) throw zstdUnsupported(process.version);
  const key = spec.signKey === undefined ? undefined : await readSigningKey(spec.signKey);
  const input = { spec, payload, packing, key };
  return {
    name: 'embedded',
    compression: packing.compression,
    write: (path, context) => writeEmbedded(input, path, context),
  };
}
