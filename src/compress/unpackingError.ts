import { IntegrityError, UnsupportedError } from '../errors.ts';

/** Bytes. A decoder of xz needs its dictionary and little more; that of xz -9 has 64 MiB. */
export const DECODER_MEMORY: number = 128 << 20;

/** The error for what liblzma or the xz program said of content that it can't unpack. */
export function unpackingError(said: string): IntegrityError | UnsupportedError {
  if (said.includes('Memory usage limit')) {
    return new UnsupportedError('the xz content needs a dictionary of more than 128 MiB');
  }
  return new IntegrityError(`the xz content is damaged: ${said}`);
}
