import type { ArtifactMetadata } from '../../cache/metadata.ts';
import { UnsupportedError, UsageError } from '../../errors.ts';
import type { Log } from '../../io/log.ts';
import type { DeviceSetup, Module } from '../../mender/spec.ts';
import { DEFAULT_FILESYSTEMS, MODULES } from '../../mender/spec.ts';
import type { BuildRequest } from '../request.ts';
import type { Baseline } from './baseImages.ts';

type Asked = Pick<BuildRequest, 'module' | 'softwareFilesystem' | 'allowKeyChange'>;

/** What to build for, and the baselines whose devices have the same. */
export interface Settled {
  setup: DeviceSetup;
  baselines: readonly Baseline[];
}

/**
 * Decides the update module and the software filesystem: those that were asked for, else those of
 * the baselines, else the defaults. Throws UsageError if a baseline has others. With
 * --allow-key-change it leaves such baselines out instead.
 */
export function settleSetup(asked: Asked, baselines: readonly Baseline[], log: Log): Settled {
  const setup = chooseSetup(asked, baselines);
  const changed = baselines.filter(({ metadata }) => isOther(metadata, setup));
  const [first] = changed;
  if (first !== undefined && !asked.allowKeyChange) throw keyChanged(first, setup);
  for (const { origin } of changed) {
    log.warning(`${describe(setup)} differ from those of the base ${origin}: shipping everything whole`);
  }
  const unsaid =
    asked.module === undefined && baselines.find(({ metadata }) => metadata.module === undefined);
  if (unsaid) {
    const { version } = unsaid.metadata;
    log.warning(
      `nothing says which update module devices with ${version} have: taking ${setup.module}; to be sure, put module: ${setup.module} into x-mender`,
    );
  }
  return { setup, baselines: baselines.filter((baseline) => !changed.includes(baseline)) };
}

function chooseSetup(asked: Asked, baselines: readonly Baseline[]): DeviceSetup {
  const module = asked.module ?? moduleOf(baselines) ?? 'docker-compose';
  const found = baselines.find(
    ({ metadata }) => metadata.module === module && metadata.softwareFilesystem !== undefined,
  );
  const softwareFilesystem =
    asked.softwareFilesystem ?? found?.metadata.softwareFilesystem ?? DEFAULT_FILESYSTEMS[module];
  return { module, softwareFilesystem };
}

function moduleOf(baselines: readonly Baseline[]): Module | undefined {
  const base = baselines.find(({ metadata }) => metadata.module !== undefined);
  if (base === undefined) return undefined;
  const module = MODULES.find((known) => known === base.metadata.module);
  if (module !== undefined) return module;
  throw new UnsupportedError(
    `the base ${base.origin} is for update module ${base.metadata.module}: expected ${MODULES.join(' or ')}`,
    {
      hint: ({ option }) =>
        `name another base with ${option('base')}, or say what the devices have with ${option('module')}`,
    },
  );
}

function isOther({ module, softwareFilesystem }: ArtifactMetadata, setup: DeviceSetup): boolean {
  return (
    (module ?? setup.module) !== setup.module ||
    (softwareFilesystem ?? setup.softwareFilesystem) !== setup.softwareFilesystem
  );
}

function describe({ module, softwareFilesystem }: Partial<DeviceSetup> | ArtifactMetadata): string {
  return `module ${module ?? 'unknown'} and software filesystem ${softwareFilesystem ?? 'unknown'}`;
}

/** Says what devices would do with an artifact that has another module or key than they know. */
function keyChanged({ metadata, origin }: Baseline, setup: DeviceSetup): UsageError {
  const after =
    metadata.module === undefined || metadata.module === setup.module
      ? 'keep their old version key next to the new one'
      : 'run the old application next to the new one';
  return new UsageError(
    `the base ${origin} has ${describe(metadata)}, this build has ${describe(setup)}: devices would refuse a delta, and after a full artifact they would ${after}`,
    {
      hint: ({ option, unset }) =>
        `leave out ${unset('module')} and ${unset('software-filesystem')}, or name another base; ${option('allow-key-change', 'true')} builds a full artifact all the same`,
    },
  );
}

/**
 * Throws UsageError if neither the user nor the base says what the devices have: version 0.1.0 did
 * not note it in the cache, and had other defaults.
 */
export function requireSetup({ metadata, origin }: Baseline, asked: Asked): void {
  const module = asked.module ?? metadata.module;
  const softwareFilesystem = asked.softwareFilesystem ?? metadata.softwareFilesystem;
  if (module !== undefined && softwareFilesystem !== undefined) return;
  throw new UsageError(
    `the base is ${origin}, and nothing says which update module and software filesystem its devices have`,
    {
      hint: ({ option }) =>
        `give ${option('module')} and ${option('software-filesystem')} once; the defaults of version 0.1.0 were ${option('module', 'app')} ${option('software-filesystem', 'rootfs-image')}`,
    },
  );
}
