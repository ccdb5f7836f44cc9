import { amountOf } from '../../io/amounts.ts';
import { UsageError } from '../../errors.ts';
import type { Artifact } from '../../server/artifacts.ts';
import type { AttributeName } from '../../server/inventory.ts';
import { softwareNameOf, versionKey } from '../../mender/write/header.ts';
import type { DeviceSetup } from '../../mender/spec.ts';
import { DEFAULT_FILESYSTEMS, MODULES } from '../../mender/spec.ts';

/** The keys that artifacts have unless users choose another software filesystem. */
function usualKeys(application: string): string[] {
  return MODULES.flatMap((module) =>
    ['rootfs-image', DEFAULT_FILESYSTEMS[module]].map((filesystem) =>
      versionKey(filesystem, softwareNameOf(module, application)),
    ),
  );
}

/**
 * The keys under which devices may report the version of an application: the usual ones, and those
 * among the attributes of the fleet. Without an application, the keys of all applications. Pure.
 */
export function candidateKeys(application: string | undefined, known: readonly AttributeName[]): string[] {
  const names = known.filter(({ scope }) => scope === 'inventory').map(({ attribute }) => attribute);
  if (application === undefined) return names.filter((name) => /^.+\..+\.version$/.test(name)).sort();
  const own = names.filter((name) => name.endsWith(`.${application}.version`));
  return [...new Set([...usualKeys(application), ...own])].sort();
}

/** The names under which artifacts say what they bring. Pure. */
export function providedNames(artifacts: readonly Pick<Artifact, 'artifact_provides'>[]): AttributeName[] {
  const names = artifacts.flatMap(({ artifact_provides: provides }) => Object.keys(provides ?? {}));
  return names.map((attribute) => ({ scope: 'inventory', attribute }));
}

/**
 * The only key of these that is in use. Undefined if no key is. Throws UsageError if several are:
 * those are several applications of one name. Pure.
 */
export function onlyKey(
  application: string,
  counts: ReadonlyMap<string, number>,
  choose = 'choose one with --version-key',
): string | undefined {
  const used = [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1));
  if (used.length <= 1) return used[0]?.[0];
  const found = used.map(([key, count]) => `${key} (${amountOf(count, 'device')})`).join(', ');
  throw new UsageError(`several applications have the name ${application}: devices report ${found}`, {
    hint: choose,
  });
}

/** The update module and software filesystem that a key of the application stands for. Pure. */
export function setupOfKey(key: string, application: string): DeviceSetup {
  const softwareName = softwareNameOf('docker-compose', application);
  const module = key.endsWith(`.${softwareName}.version`) ? 'docker-compose' : 'app';
  const end = versionKey('', softwareNameOf(module, application));
  return { module, softwareFilesystem: key.slice(0, -end.length) };
}
