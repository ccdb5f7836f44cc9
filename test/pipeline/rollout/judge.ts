import { expect } from 'vitest';
import type { Fleet } from '../../helpers/menderServer/fleet.ts';
import type { MenderServer } from '../../helpers/menderServer/start.ts';

/** A rollout that has ended. */
export interface EndedRollout {
  server: MenderServer;
  fleet: Fleet;
  /** The key under which devices report the version, and the version that the rollout brings. */
  key: string;
  to: string;
  /** True if the server can know what devices run, unless they stray. */
  isInTime: boolean;
  /** True if no update fails, and no device takes another version. */
  isGentle: boolean;
  /** True if devices that fail with a delta get the full artifact. */
  fallback: boolean;
  /** True if too many devices failed. */
  isStopped: boolean;
}

/** What must hold at the end of every rollout, whatever happened. */
export function judgeRollout(ended: EndedRollout): void {
  const { server, fleet, key, to } = ended;
  const given = fleet.given.filter(
    ({ device, artifact }) => versionIn(ended, artifact) === to && !fleet.strayed.has(device),
  );
  const twice = given.filter(
    ({ device, artifact }, index) =>
      given.findIndex((one) => one.device === device && one.artifact === artifact) !== index,
  );
  expect(twice, 'sent the same artifact twice').toEqual([]);
  for (const { device } of given) {
    const own = given.filter((one) => one.device === device).map(({ outcome }) => outcome);
    expect(
      own.indexOf('success') === -1 || own.indexOf('success') === own.length - 1,
      `${device}: ${own.join()}`,
    ).toBe(true);
    expect(own.length, `${device} had more than its artifacts`).toBeLessThanOrEqual(ended.fallback ? 2 : 1);
  }
  if (ended.isInTime) expect(given.filter(({ met }) => !met)).toEqual([]);
  const left = [...server.state.devices.values()].filter(
    ({ id, type, group }) => type === 'qemu' && group === 'g' && !fleet.silent.has(id),
  );
  const without = left.filter(({ provides }) => provides[key] !== to).map(({ id }) => id);
  if (ended.isGentle && !ended.isStopped) expect(without, 'left without the version').toEqual([]);
  if (ended.fallback && !ended.isStopped)
    expect(notRepaired(ended), 'failed with a delta, and had no full artifact').toEqual([]);
  expect(server.violations).toEqual([]);
}

function versionIn({ server, key }: EndedRollout, artifact: string): string | undefined {
  return server.state.artifacts.get(artifact)?.artifact_provides[key];
}

/** The devices that failed with a delta and got nothing afterwards. */
function notRepaired({ server, fleet, key }: EndedRollout): string[] {
  const left = [...server.state.devices.keys()].filter((id) => !fleet.silent.has(id));
  return left.filter((id) => {
    const last = fleet.given.findLast(({ device }) => device === id);
    const artifact = last && server.state.artifacts.get(last.artifact);
    return last?.outcome === 'failure' && artifact?.artifact_depends[key] !== undefined;
  });
}
