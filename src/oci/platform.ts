import { UsageError } from '../errors.ts';

/** https://github.com/opencontainers/image-spec/blob/main/image-index.md#image-index-property-descriptions */
export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
}

const PART = /^[a-z0-9][a-z0-9._-]*$/;
/** Spellings that `uname` and people use, and what images call them. */
const ARCHITECTURES: Record<string, Pick<Platform, 'architecture' | 'variant'>> = {
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  aarch64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
  i386: { architecture: '386' },
};

/** Parses `os/arch[/variant]`; throws UsageError otherwise. */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...rest] = text.toLowerCase().split('/');
  const parts = [os, architecture, ...(variant === undefined ? [] : [variant])];
  if (!os || !architecture || rest.length > 0 || !parts.every((part) => PART.test(part ?? ''))) {
    throw new UsageError(`platform ${JSON.stringify(text)} is not os/arch[/variant]`, {
      hint: 'write it like linux/arm64 or linux/arm/v7',
    });
  }
  const known = ARCHITECTURES[architecture] ?? { architecture };
  return normalized({ os, ...known, ...(variant === undefined ? {} : { variant }) });
}

/** The platform without what is the default of its architecture: arm64/v8 is arm64, arm is arm/v7. */
export function normalized(platform: Platform): Platform {
  const { os, architecture } = platform;
  const variant = platform.variant === '' ? undefined : platform.variant;
  if (architecture === 'arm64' && variant === 'v8') return { os, architecture };
  if (architecture === 'amd64' && variant === 'v1') return { os, architecture };
  if (architecture === 'arm' && variant === undefined) return { os, architecture, variant: 'v7' };
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}

/** `os/arch[/variant]` */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`;
}

/** True if an image made for `have` is made for exactly `want`, defaults of the architecture aside. */
export function samePlatform(have: Platform, want: Platform): boolean {
  return formatPlatform(normalized(have)) === formatPlatform(normalized(want));
}

/** Variants of an architecture are levels, each of which runs what is made for those below; no variant is this one. */
const LEVELS: Readonly<Record<string, number>> = { arm: 7, arm64: 8, amd64: 1 };

/**
 * The position in `offered` of the best match for `want`, or -1: the exact platform first, then the highest variant
 * below the wanted one, as Docker and containerd choose.
 */
export function choosePlatform(offered: readonly (Platform | undefined)[], want: Platform): number {
  const exact = offered.findIndex((have) => have !== undefined && samePlatform(have, want));
  return exact >= 0 ? exact : bestBelow(offered, want);
}

function bestBelow(offered: readonly (Platform | undefined)[], want: Platform): number {
  let best = -1;
  offered.forEach((have, position) => {
    if (have?.os !== want.os || have.architecture !== want.architecture || !(level(have) <= level(want)))
      return;
    const leader = offered[best];
    if (leader === undefined || level(have) > level(leader)) best = position;
  });
  return best;
}

/** NaN where the architecture has no levels. */
function level({ architecture, variant }: Platform): number {
  return Number(variant?.slice(1) ?? LEVELS[architecture] ?? NaN);
}
