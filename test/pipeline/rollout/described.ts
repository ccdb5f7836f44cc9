import { readMembers } from '../../../src/pipeline/rollout/members.ts';
import { releaseArtifacts } from '../../../src/pipeline/fleet/releaseArtifacts.ts';
import type { RolloutTarget } from '../../../src/pipeline/rollout/members.ts';
import type { Rollout } from '../../../src/pipeline/rollout/runState.ts';
import { nameToBuild } from '../../../src/pipeline/rollout/stock.ts';
import type { Api } from '../../../src/server/api.ts';
import { listArtifacts } from '../../../src/server/artifacts.ts';
import { addArtifact } from '../../helpers/menderServer/state.ts';
import type { MenderServer } from '../../helpers/menderServer/start.ts';

/** The key under which devices report the version, and the version that the rollout brings. */
export const KEY = 'rootfs-image.shop.version';
export const TO = '2.0';

/**
 * An artifact that is only described: the devices of these tests look at its depends and no more.
 */
export function describeArtifact(server: MenderServer, name: string, version: string, base?: string): void {
  const size = base === undefined ? 100 : 10;
  const depends = { device_type: ['qemu'], ...(base === undefined ? {} : { [KEY]: [base] }) };
  const parsed = {
    ...{ name, device_types_compatible: ['qemu'], info: { format: 'mender', version: 3 }, signed: false },
    ...{ updates: [], clears_artifact_provides: [] },
    artifact_provides: { artifact_name: name, [KEY]: version },
    artifact_depends: depends,
  };
  addArtifact(server.state, parsed, { id: `${name}/${base ?? ''}`, size, description: '' });
}

interface Described extends Partial<Pick<Rollout, 'policy' | 'bases' | 'timeoutMs'>> {
  target: RolloutTarget;
  /** What happens while artifacts are built. */
  meanwhile?: () => void;
}

/** A rollout of described artifacts. */
export function rolloutOf(server: MenderServer, api: Api, described: Described): Rollout {
  const { enterprise } = server.state.options;
  const named = { application: 'shop', to: TO, deviceTypes: ['qemu'], enterprise };
  return {
    ...{ named, policy: { fallback: true, maxFailures: undefined, phases: [1] } },
    ...{ bases: new Set(['1.0', '1.1']), timeoutMs: 60, intervalMs: 1, ...described },
    members: () => readMembers(api, described.target, { key: KEY, others: new Set() }),
    artifacts: async () => releaseArtifacts(await listArtifacts(api), KEY),
    supply: (wanted, artifacts) => {
      for (const base of wanted)
        describeArtifact(server, nameToBuild(base, artifacts, named), TO, base ?? undefined);
      described.meanwhile?.();
      return Promise.resolve();
    },
  };
}
