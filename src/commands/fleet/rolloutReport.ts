import { amountOf, formatBytes } from '../../io/amounts.ts';
import { formatDuration, linkBudget } from '../../pipeline/fleet/link.ts';
import type { PlannedDelivery, RolloutPlan } from '../../pipeline/rollout/rolloutPlan.ts';
import type { RolloutEnd } from '../../pipeline/rollout/run.ts';
import { logsText } from '../options/watch.ts';
import { formatList } from '../terminal/format.ts';

/** A plan for people. `rate`: bits per second of the devices' link. */
export function rolloutPlanText(plan: RolloutPlan, rate: number | undefined): string {
  const { application, version, versionKey, devices, deliveries, current, underway, retries, unfit } = plan;
  const headings = [
    'FROM',
    'ARTIFACT',
    'STATE',
    'DEVICES',
    'EACH',
    'IN ALL',
    ...(rate === undefined ? [] : ['TIME']),
  ];
  const rows = deliveries.map((one) => rowOf(one, rate));
  const most = plan.atMost ? 'at most ' : '';
  const lines = [
    `${application} ${version} to ${amountOf(devices, 'device')}, by ${versionKey}`,
    '',
    formatList('nothing to send', headings, rows, [3, 4, 5, 6]),
    '',
    `in all: ${plan.bytes === null ? 'unknown' : `${most}${formatBytes(plan.bytes)}`}`,
  ];
  if (current > 0) lines.push(`up to date: ${amountOf(current, 'device')}`);
  if (underway > 0) lines.push(`in deployments of this version already: ${amountOf(underway, 'device')}`);
  if (retries > 0)
    lines.push(`failed with a delta, so they get the full artifact: ${amountOf(retries, 'device')}`);
  if (unfit > 0) lines.push(`no artifact fits, so nothing is sent: ${amountOf(unfit, 'device')}`);
  return lines.join('\n');
}

function rowOf(
  { base, artifact, state, devices, size, atMost, bytes }: PlannedDelivery,
  rate: number | undefined,
): string[] {
  const text = (value: number | null): string =>
    value === null ? 'unknown' : `${atMost ? '<= ' : ''}${formatBytes(value)}`;
  const time =
    rate === undefined ? [] : [size === null ? '' : formatDuration(linkBudget(size, rate).seconds)];
  return [
    base ?? 'any',
    artifact,
    state === 'upload' ? 'to build' : state,
    String(devices),
    text(size),
    text(bytes),
    ...time,
  ];
}

/** The end of a rollout for people. */
export function rolloutEndText({ application, version }: RolloutPlan, end: RolloutEnd): string {
  const counts = [
    ['have it now', end.succeeded],
    ['had it before', end.current],
    ['failed', end.failed],
    ['have not answered', [...end.running, ...end.retry]],
    ['got nothing', end.open],
    ['no artifact fits', end.unfit],
  ] as const;
  const said = counts.flatMap(([what, ids]) => (ids.length === 0 ? [] : [`${what}: ${ids.length}`]));
  const summary = `${application} ${version}: ${said.join(', ') || 'no devices'}`;
  return [logsText(end.logs), summary].filter((part) => part !== '').join('\n\n');
}
