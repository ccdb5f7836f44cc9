import type { Digest } from '../../oci/digest.ts';

/** What a delta is found by. */
export interface DeltaKey {
  from: Digest;
  to: Digest;
  /** Name, version and effort of the encoder. Together with the layers it determines the bytes. */
  encoder: string;
  /** Default VCDIFF. */
  format?: 'vcdiff' | 'patch';
}
