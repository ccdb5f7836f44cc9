import { writeAtomically } from '../io/files.ts';
import { HAS_ZSTD, zstdUnsupported } from '../io/zstdCompress.ts';
import { appPayload } from './appPayload.ts';
import { composePayload } from './composePayload.ts';
import type { PackContext } from './context.ts';
import { writeEmbedded } from './embedded.ts';
import type { Payload } from './files.ts';
import { packingOf } from './packing.ts';
import { readSigningKey } from './sign.ts';
import type { ArtifactSpec, ArtifactSummary } from './spec.ts';

/**
 * Builds the artifact and moves it to `destination` once it is whole; a failure leaves nothing there. No layer is
 * held in memory. Throws UsageError, UnsupportedError and ToolError for what the user can mend.
 */
export async function buildArtifact(
  spec: ArtifactSpec,
  destination: string,
  context: PackContext,
): Promise<ArtifactSummary> {
  const payload = payloadOf(spec);
  const payloadSize = payload.files.reduce((sum, { size }) => sum + size, 0);
  const packing = packingOf(spec.compression, payloadSize);
  if (packing.compression === 'zstd' && !HAS_ZSTD) throw zstdUnsupported(process.version);
  const key = spec.signKey === undefined ? undefined : await readSigningKey(spec.signKey);
  const size = await writeAtomically(destination, (path) =>
    writeEmbedded({ spec, payload, packing, key }, path, context),
  );
  return {
    path: destination,
    size,
    writer: 'embedded',
    compression: packing.compression,
    payloadSize,
    signed: key !== undefined,
  };
}

function payloadOf(spec: ArtifactSpec): Payload {
  const payload = spec.module === 'app' ? appPayload(spec) : composePayload(spec);
  return { ...payload, files: [...payload.files, ...(spec.extraFiles ?? [])] };
}
