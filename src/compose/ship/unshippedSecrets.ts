import { resolve } from 'node:path';
import type { Mapping, Value } from '../read/yaml/value.ts';
import { asList, asMapping, isMapping, scalarText } from '../read/yaml/value.ts';
import type { FileReference } from './references.ts';
import { usedResources } from './usedResources.ts';

/**
 * Returns absolute paths of secrets that no device gets: the files of secrets that no active
 * service uses, as those of a build, and the keys that a build gets over ssh. A mounted folder
 * ships without them. What `references` name is left out.
 */
export function unshippedSecrets(
  model: Mapping,
  { folder, active }: { folder: string; active: readonly string[] },
  references: readonly FileReference[],
): string[] {
  const named = new Set(references.map(({ path }) => resolve(folder, path)));
  const used = usedResources(model, new Set(active)).get('secrets');
  const unused = Object.entries(asMapping(model['secrets'])).filter(([name]) => used?.has(name) !== true);
  const files = unused.map(([, secret]) => scalarText(asMapping(secret)['file']));
  const keys = Object.values(asMapping(model['services'])).flatMap(sshKeys);
  const paths = [...files, ...keys].filter((path) => path !== '').map((path) => resolve(folder, path));
  return paths.filter((path) => !named.has(path));
}

/** The paths in `build.ssh`, as a mapping or as `ID=PATH`. */
function sshKeys(service: Value): string[] {
  const ssh = asMapping(asMapping(service)['build'])['ssh'];
  if (isMapping(ssh)) return Object.values(ssh).map(scalarText);
  return asList(ssh).map((entry) => /=(.*)$/s.exec(scalarText(entry))?.[1] ?? '');
}
