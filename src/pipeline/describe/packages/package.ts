/** Who installed a package. The names are the types of package URLs. */
export type PackageType = 'deb' | 'apk' | 'npm' | 'pypi';

/** A package in an image. */
export interface Package {
  type: PackageType;
  name: string;
  version: string;
  /** As the distribution names it. */
  architecture?: string;
}

/** The Linux distribution of an image: `ID` and `VERSION_ID` of its os-release. */
export interface Distribution {
  id: string;
  version?: string;
}

/**
 * Returns the package URL. Pure.
 * https://github.com/package-url/purl-spec/blob/main/purl-specification.md
 */
export function packageUrlOf(found: Package, distribution: Distribution | undefined): string {
  const { type, version, architecture } = found;
  const isOfDistribution = type === 'deb' || type === 'apk';
  const namespace = isOfDistribution ? [distribution?.id ?? DEFAULT_DISTRIBUTIONS[type]] : [];
  const path = [...namespace, ...nameParts(found)].map(encodeURIComponent).join('/');
  const query = new URLSearchParams({
    ...(architecture === undefined ? {} : { arch: architecture }),
    ...(isOfDistribution && distribution ? { distro: nameOf(distribution) } : {}),
  });
  const qualifiers = query.size === 0 ? '' : `?${query.toString()}`;
  return `pkg:${type}/${path}@${encodeURIComponent(version)}${qualifiers}`;
}

const DEFAULT_DISTRIBUTIONS = { deb: 'debian', apk: 'alpine' };

/** A scope of npm is a part of its own. Python's names are equal in all spellings. */
function nameParts({ type, name }: Package): string[] {
  if (type === 'npm') return name.split('/');
  return [type === 'pypi' ? name.toLowerCase().replaceAll(/[-_.]+/g, '-') : name];
}

function nameOf({ id, version }: Distribution): string {
  return version === undefined ? id : `${id}-${version}`;
}
