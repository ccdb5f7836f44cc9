import { UnsupportedError, UsageError } from '../../errors.ts';
import type { Wording } from '../../errors.ts';
import { hasDecoder } from '../../mender/onDevice/carriedDecoder.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { SettledRequest } from '../request.ts';

type Wanted = Pick<SettledRequest, 'decoder' | 'delta' | 'module' | 'decodeOnDevice' | 'platform' | 'effort'>;

const XDELTA3 = ({ option }: Pick<Wording, 'option'>): string =>
  `leave the deltas to xdelta3 on the devices: ${option('decoder', 'xdelta3')}`;

/**
 * Throws UsageError or UnsupportedError for `--decoder carried` if the artifact can't carry a
 * decoder.
 */
export function requireDecoder({ decoder, delta, module, decodeOnDevice, platform }: Wanted): void {
  if (decoder !== 'carried' || !delta) return;
  if (module === 'app') {
    throw new UsageError('--decoder carried: update module app decodes only with xdelta3', {
      hint: ({ option }) => `build for module docker-compose, or ${XDELTA3({ option })}`,
    });
  }
  if (!decodeOnDevice) {
    throw new UsageError(
      '--decoder carried: the devices run no state script, which would start the decoder',
      { hint: ({ unset }) => `leave out ${unset('decode-on-device')} and ${unset('decoder')}` },
    );
  }
  if (hasDecoder(platform)) return;
  throw new UnsupportedError(`--decoder carried: there is no decoder for ${formatPlatform(platform)}`, {
    hint: XDELTA3,
  });
}

/** What decodes the deltas of an artifact, and why. */
export interface PlannedDecoder {
  /** `smaller`: both kinds of deltas are made, and the smaller sum is taken. */
  kind: 'xdelta3' | 'carried' | 'smaller';
  reason: string;
}

/**
 * Returns what decodes the deltas. Patches take several times as long to make as VCDIFF, so `auto`
 * tries them only with the effort `best`. Pure.
 */
export function planDecoder({
  decoder,
  module,
  decodeOnDevice,
  platform,
  effort,
}: Omit<Wanted, 'delta'>): PlannedDecoder {
  if (decoder !== 'auto') return { kind: decoder, reason: `--decoder ${decoder}` };
  if (module === 'app') return { kind: 'xdelta3', reason: 'update module app' };
  if (!decodeOnDevice) return { kind: 'xdelta3', reason: 'devices decode nothing' };
  if (!hasDecoder(platform)) {
    return { kind: 'xdelta3', reason: `there is no other decoder for ${formatPlatform(platform)}` };
  }
  if (effort === 'best') return { kind: 'smaller', reason: 'with --effort best' };
  return { kind: 'xdelta3', reason: 'its deltas are made faster; --decoder carried makes smaller ones' };
}
