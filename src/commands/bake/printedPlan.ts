import { UserError } from '../../errors.ts';
import type { PlannedBuild } from './planBuilds.ts';
import { builtPlatform } from './planBuilds.ts';
import type { BakePlan } from './readTargets.ts';

/** What `bake --print` prints. */
interface PrintedPlan {
  /** The groups of the file. */
  group: Record<string, { targets: readonly string[] }>;
  /** The targets of the run, with what they inherit and with the values of `--set`. */
  target: Record<string, Record<string, unknown>>;
  /** The builds of the run, in order. */
  builds: { name: string; target: string; platform: string }[];
}

/** Returns what a run would build. Pure. */
export function printedPlan({ file, targets }: BakePlan, builds: readonly PlannedBuild[]): PrintedPlan {
  const target = [...targets.values()].map(({ name, settings, variables }) => {
    const hasAny = Object.keys(variables).length > 0;
    return [name, { ...settings, ...(hasAny ? { variables } : {}) }] as const;
  });
  return {
    group: Object.fromEntries([...file.groups].map(([name, members]) => [name, { targets: members }])),
    target: Object.fromEntries(target),
    builds: builds.flatMap(({ name, target: of, ready }) =>
      ready instanceof UserError ? [] : [{ name, target: of, platform: builtPlatform(ready) }],
    ),
  };
}
