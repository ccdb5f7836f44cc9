import type { Distribution, Package } from './package.ts';
import { packageUrlOf } from './package.ts';
import type { LayerPackages } from './readLayer.ts';

/** A package of an image, with its package URL. */
export type NamedPackage = Package & { purl: string };

/**
 * Returns the packages of an image with these layers, the lowest first: each once, in the order of
 * their package URLs. Pure.
 */
export function imagePackages(layers: readonly LayerPackages[]): NamedPackage[] {
  const files = filesOf(layers);
  const distribution = distributionOf(files);
  const byUrl = new Map<string, NamedPackage>();
  for (const found of [...files.values()].flatMap(({ packages = [] }) => packages)) {
    const purl = packageUrlOf(found, distribution);
    byUrl.set(purl, { ...found, purl });
  }
  return [...byUrl.keys()].sort().flatMap((purl) => byUrl.get(purl) ?? []);
}

/** The files that a container sees. */
function filesOf(layers: readonly LayerPackages[]): LayerPackages['files'] {
  const files: LayerPackages['files'] = new Map();
  for (const layer of layers) {
    for (const path of files.keys()) if (isDeleted(path, layer.deleted)) files.delete(path);
    for (const [path, content] of layer.files) files.set(path, content);
  }
  return files;
}

/** Asks for the path and for all folders above it. */
function isDeleted(path: string, deleted: ReadonlySet<string>): boolean {
  if (deleted.size === 0) return false;
  if (deleted.has(path) || deleted.has('')) return true;
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    if (deleted.has(path.slice(0, slash)) || deleted.has(path.slice(0, slash + 1))) return true;
  }
  return false;
}

/** The one in /etc counts. */
function distributionOf(files: LayerPackages['files']): Distribution | undefined {
  return files.get('etc/os-release')?.distribution ?? files.get('usr/lib/os-release')?.distribution;
}
