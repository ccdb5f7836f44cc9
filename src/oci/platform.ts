import { UsageError } from '../errors.ts';

/**
 * https://github.com/opencontainers/image-spec/blob/main/image-index.md#image-index-property-descriptions
 */
export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
}

const PART = /^[a-z0-9][a-z0-9._-]*$/;

/** A table for names from outside: `constructor` is in no such table. */
function ownKeys<Value>(table: Readonly<Record<string, Value>>): ReadonlyMap<string, Value> {
  return new Map(Object.entries(table));
}

/** Names of architectures from `uname`, Debian and Docker Hub, as images name them. */
const ARCHITECTURES = ownKeys<Pick<Platform, 'architecture' | 'variant'>>({
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  x64: { architecture: 'amd64' },
  aarch64: { architecture: 'arm64' },
  arm64v8: { architecture: 'arm64' },
  armv8: { architecture: 'arm64' },
  armv8l: { architecture: 'arm', variant: 'v7' },
  armv7l: { architecture: 'arm', variant: 'v7' },
  armv7: { architecture: 'arm', variant: 'v7' },
  arm32v7: { architecture: 'arm', variant: 'v7' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armv6l: { architecture: 'arm', variant: 'v6' },
  armv6: { architecture: 'arm', variant: 'v6' },
  arm32v6: { architecture: 'arm', variant: 'v6' },
  armel: { architecture: 'arm', variant: 'v6' },
  armv5l: { architecture: 'arm', variant: 'v5' },
  arm32v5: { architecture: 'arm', variant: 'v5' },
  i386: { architecture: '386' },
  i486: { architecture: '386' },
  i586: { architecture: '386' },
  i686: { architecture: '386' },
  x86: { architecture: '386' },
  ppc64el: { architecture: 'ppc64le' },
  mips64el: { architecture: 'mips64le' },
  mipsel: { architecture: 'mipsle' },
  loong64: { architecture: 'loong64' },
  loongarch64: { architecture: 'loong64' },
});

/**
 * The architectures that images are made for.
 * https://go.dev/doc/install/source#environment
 */
export const IMAGE_ARCHITECTURES: readonly string[] = [
  ...['386', 'amd64', 'arm', 'arm64', 'loong64', 'mips', 'mips64', 'mips64le', 'mipsle', 'ppc64', 'ppc64le'],
  ...['riscv64', 's390x', 'wasm'],
];

/**
 * Parses `os/arch[/variant]`, with any usual name of the architecture. Throws UsageError for
 * anything else.
 */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...rest] = text.toLowerCase().split('/');
  const parts = [os, architecture, ...(variant === undefined ? [] : [variant])];
  if (!os || !architecture || rest.length > 0 || !parts.every((part) => PART.test(part ?? ''))) {
    throw new UsageError(`platform ${JSON.stringify(text)} is not os/arch[/variant]`, {
      hint: 'write it like linux/arm64 or linux/arm/v7',
    });
  }
  return normalized({ os, architecture, ...(variant === undefined ? {} : { variant }) });
}

/** There are about 20 of Linux. */
const MOST_PLATFORMS = 100;

/**
 * Parses platforms, of which each text may hold several with commas: `linux/amd64,linux/arm64`.
 * Returns each once, in order. Throws UsageError for an invalid one, and for more than 100.
 */
export function parsePlatforms(texts: readonly string[]): Platform[] {
  const words = texts.flatMap((text) => text.split(',')).map((word) => word.trim());
  const named = words.filter((word) => word !== '');
  if (named.length > MOST_PLATFORMS) {
    throw new UsageError(`expected up to ${MOST_PLATFORMS} platforms, found ${named.length}`, {
      hint: 'name only the platforms that your devices have',
    });
  }
  const parsed = named.map(parsePlatform);
  return [...new Map(parsed.map((platform) => [formatPlatform(platform), platform])).values()];
}

/**
 * Returns the platform as a part of a file name: `arm64`, `arm-v7`. Devices run Linux, so only
 * another system is named.
 */
export function platformWord({ os, architecture, variant }: Platform): string {
  const parts = [os === 'linux' ? undefined : os, architecture, variant];
  return parts.filter((part) => part !== undefined).join('-');
}

/**
 * Returns the platform in the spelling of images, without the default variant: aarch64/v8 is arm64,
 * armhf is arm/v7.
 */
export function normalized(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const written = platform.architecture.toLowerCase();
  const known = ARCHITECTURES.get(written) ?? { architecture: written };
  const { architecture } = known;
  const variant = variantOf(platform.variant) ?? known.variant ?? (architecture === 'arm' ? 'v7' : undefined);
  const isDefault = DEFAULT_VARIANTS.get(architecture) === variant;
  return variant === undefined || isDefault ? { os, architecture } : { os, architecture, variant };
}

const DEFAULT_VARIANTS = ownKeys({ arm64: 'v8', amd64: 'v1' });

/** Some tools write `7` for `v7`. */
function variantOf(written: string | undefined): string | undefined {
  if (written === undefined || written === '') return undefined;
  const variant = written.toLowerCase();
  return /^\d/.test(variant) ? `v${variant}` : variant;
}

/** `os/arch[/variant]` */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`;
}

/** True if both are the same platform, however they are written. */
export function samePlatform(have: Platform, want: Platform): boolean {
  return formatPlatform(normalized(have)) === formatPlatform(normalized(want));
}

/**
 * Variants of an architecture are levels: each runs images of the levels below. This is the level
 * of no variant.
 */
const LEVELS = ownKeys({ arm: 7, arm64: 8, amd64: 1 });

/**
 * Returns the position in `offered` of the best match for `want`, or -1. The exact platform is
 * best, then the highest variant below the wanted one, as Docker and containerd choose.
 */
export function choosePlatform(offered: readonly (Platform | undefined)[], want: Platform): number {
  const exact = offered.findIndex((have) => have !== undefined && samePlatform(have, want));
  return exact >= 0 ? exact : bestBelow(offered, want);
}

function bestBelow(offered: readonly (Platform | undefined)[], want: Platform): number {
  let best = -1;
  offered.forEach((have, position) => {
    if (have?.os !== want.os || have.architecture !== want.architecture || !(level(have) <= level(want))) {
      return;
    }
    const leader = offered[best];
    if (leader === undefined || level(have) > level(leader)) best = position;
  });
  return best;
}

/** NaN if the architecture has no levels. */
function level({ architecture, variant }: Platform): number {
  return Number(variant?.slice(1) ?? LEVELS.get(architecture) ?? NaN);
}
