import type { ArtifactReport } from '../../mender/read/report.ts';
import { formatBytes } from '../../io/amounts.ts';

/** The decoder that devices have. */
export const XDELTA3 = "the devices' xdelta3";

/** What decodes the deltas of an artifact, in words; empty without deltas. */
export function decoderText(
  { decoder, decoderSize }: Pick<ArtifactReport, 'decoder' | 'decoderSize'>,
  platform: string | undefined,
): string {
  if (decoder === null) return '';
  if (decoder === 'xdelta3') return XDELTA3;
  return ['carried', platform ?? 'for an unknown platform', formatBytes(decoderSize)].join(', ');
}
