import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UnsupportedError } from '../../errors.ts';
import type { Platform } from '../../oci/platform.ts';
import { formatPlatform, normalized } from '../../oci/platform.ts';

/**
 * The decoders of the package, by architecture and variant. A device runs those of lower variants.
 */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['amd64', 'linux-amd64'],
  ['arm64', 'linux-arm64'],
  ['arm v6', 'linux-arm-v6'],
  ['arm v7', 'linux-arm-v7'],
  ['arm v8', 'linux-arm-v7'],
  ['riscv64', 'linux-riscv64'],
]);

/** True if the package has a decoder that runs on devices of this platform. */
export function hasDecoder(platform: Platform): boolean {
  return nameOf(platform) !== undefined;
}

/**
 * The path of the decoder for the platform: one static program that reads patches. Throws
 * UnsupportedError if there is none.
 */
export function decoderPath(platform: Platform): string {
  const name = nameOf(platform);
  if (name !== undefined) return fileURLToPath(new URL(`./decoder/bin/${name}`, import.meta.url));
  throw new UnsupportedError(`there is no decoder for ${formatPlatform(platform)}`, {
    hint: ({ option }) => `leave the deltas to xdelta3 on the devices: ${option('decoder', 'xdelta3')}`,
  });
}

/** The path of the decoder that this machine should be able to run; undefined if there is none. */
export function ownDecoderPath(): string | undefined {
  const platform = normalized({ os: process.platform, architecture: process.arch });
  return hasDecoder(platform) ? decoderPath(platform) : undefined;
}

/** The bytes of the decoder for the platform. Throws UnsupportedError if there is none. */
export function readDecoder(platform: Platform): Buffer {
  return readFileSync(decoderPath(platform));
}

function nameOf(platform: Platform): string | undefined {
  const { os, architecture, variant } = normalized(platform);
  if (os !== 'linux') return undefined;
  const key = architecture === 'arm' ? `arm ${variant ?? ''}` : architecture;
  return NAMES.get(key);
}
