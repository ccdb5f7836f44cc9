import { amountOf, formatBytes } from '../../io/amounts.ts';
import { formatDuration, linkBudget } from '../../pipeline/fleet/link.ts';
import type { StatusReport } from '../../pipeline/fleet/fleetStatus.ts';
import type { VersionStatus } from '../../pipeline/fleet/status.ts';
import { formatList } from '../terminal/format.ts';
import { shellWord } from '../terminal/shellWord.ts';

/** The status of a fleet for people. `rate`: bits per second of the devices' link. */
export function statusText(status: StatusReport, rate: number | undefined, typedServer = ''): string {
  const where = status.group === null ? 'all devices' : `group ${status.group}`;
  const lines = [
    `${status.application}: ${amountOf(status.devices, 'device')} (${where})`,
    `version key: ${status.versionKey ?? 'no device reports a version'}`,
    `update to: ${status.to ?? 'no artifact on the server brings a version'}`,
    '',
    tableOf(status.versions, rate),
    '',
    `in all: ${formatBytes(status.bytes)}`,
  ];
  if (status.withoutDelta.length > 0)
    lines.push(`a delta would save bytes for: ${status.withoutDelta.join(', ')}`);
  if (status.unserved > 0) {
    lines.push(
      `no artifact serves ${amountOf(status.unserved, 'device')}`,
      `next: ${rolloutOf(status)}${typedServer}`,
    );
  }
  return lines.join('\n');
}

/** The command that builds what is missing. */
function rolloutOf({ to, group }: StatusReport): string {
  const target = group === null ? '--all-devices' : `--device-group ${shellWord(group)}`;
  const version = to === null ? 'VERSION' : shellWord(to);
  return `mender-docker-delta rollout COMPOSE-FILE --artifact-version ${version} ${target}`;
}

function tableOf(versions: readonly VersionStatus[], rate: number | undefined): string {
  const headings = ['VERSION', 'TYPE', 'DEVICES', 'LAST SEEN', 'SERVED BY', 'EACH', 'IN ALL'];
  const rows = versions.map((one) => rowOf(one, rate));
  const more = rate === undefined ? [] : ['TIME'];
  return formatList('no devices', [...headings, ...more], rows, [2, 5, 6, 7]);
}

function rowOf(one: VersionStatus, rate: number | undefined): string[] {
  const { version, deviceType, devices, lastCheckIn, artifact, bytes } = one;
  const each = artifact === null ? '' : formatBytes(artifact.size);
  const time =
    artifact === null || rate === undefined ? [] : [formatDuration(linkBudget(artifact.size, rate).seconds)];
  const facts = [
    version ?? 'unknown',
    deviceType ?? 'unknown',
    String(devices),
    lastCheckIn?.slice(0, 10) ?? '',
  ];
  return [...facts, servedText(one), each, bytes === null ? '' : formatBytes(bytes), ...time];
}

function servedText({ served, artifact }: VersionStatus): string {
  if (served === 'current') return 'up to date';
  return artifact === null ? 'missing' : `${artifact.name} (${served})`;
}
