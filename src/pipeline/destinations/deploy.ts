import type { PlannedDestination } from '../../destinations/plan.ts';
import { InterruptedError, messageOf, NotFoundError, UserError } from '../../errors.ts';
import type { Statistics } from '../../server/deployments.ts';
import { countersText, deploymentError } from '../../server/outcome.ts';
import type { DeployReport } from '../release/deploy.ts';
import { deployArtifact } from '../release/deploy.ts';
import type { WatchReport } from '../release/watch.ts';
import { watchDeployment } from '../release/watch.ts';
import type { AccountRun, DestinationReport } from './types.ts';

/**
 * Deploys to all destinations of an account, and waits for them together. The deployments are
 * created one by one, so that of two equal ones the second joins the first.
 */
export async function deployAll(one: AccountRun): Promise<DestinationReport[]> {
  const { destinations } = one.account;
  if (one.request.deploy === 'no')
    return destinations.map((target) => destinationReport(target, { state: 'UPLOADED' }));
  const created: { target: PlannedDestination; result: DeployReport | UserError }[] = [];
  for (const target of destinations) {
    created.push({ target, result: await attempt(one, () => create(one, target)) });
  }
  return Promise.all(created.map(({ target, result }) => finish(one, target, result)));
}

function create(
  { artifact, request, account, effects }: AccountRun,
  target: PlannedDestination,
): Promise<DeployReport> {
  const { destination, settings } = target;
  const { name } = artifact;
  const group = destination.destination;
  const { retries, phases, updateControlMap } = settings;
  return deployArtifact(
    {
      name: request.deploymentName ?? name,
      artifactName: name,
      target: group === '*' ? { kind: 'all' } : { kind: 'group', group },
      force: settings.force ?? false,
      enterprise: { retries, phases, updateControlMap },
    },
    { api: account.api, log: effects.log },
  );
}

async function finish(
  one: AccountRun,
  target: PlannedDestination,
  created: DeployReport | UserError,
): Promise<DestinationReport> {
  if (created instanceof UserError)
    return destinationReport(target, { state: 'NOTDEPLOYED', error: messageOf(created) });
  const { request, account, effects } = one;
  const { id, joined } = created;
  const name = `${account.account}/${target.destination.destination}`;
  const facts = { deployment: id, joined };
  effects.log.info(
    `${name}: ${joined ? `deployment ${id} was running already` : `created deployment ${id}`}`,
  );
  if (request.deploy === 'created') return destinationReport(target, { state: 'PENDING', ...facts });
  const watched = await attempt(one, () => watch(one, id, name));
  if (watched instanceof InterruptedError) return destinationReport(target, { state: 'PENDING', ...facts });
  if (watched instanceof UserError)
    return destinationReport(target, { state: 'NOTDEPLOYED', ...facts, error: messageOf(watched) });
  const { outcome, statistics } = watched;
  const error = deploymentError(outcome);
  if (error === undefined) return destinationReport(target, { state: 'DEPLOYED', ...facts, statistics });
  one.failures.push(error);
  return destinationReport(target, { state: 'NOTDEPLOYED', ...facts, statistics, error: error.message });
}

async function watch(
  { request, account, effects }: AccountRun,
  id: string,
  name: string,
): Promise<WatchReport> {
  const { timeoutMs, intervalMs, abortOnFailure } = request;
  const onChange = (now: Statistics): void => effects.log.info(`${name}: ${countersText(now)}`);
  try {
    return await watchDeployment(
      { id, timeoutMs, intervalMs, abortOnFailure },
      { api: account.api, log: effects.log, onChange },
    );
  } catch (error) {
    if (!(error instanceof NotFoundError)) effects.log.warning(`${name}: deployment ${id} is still running`);
    throw error;
  }
}

/** What became of one destination. */
export function destinationReport(
  { destination: { destination, architecture } }: PlannedDestination,
  rest: Omit<DestinationReport, 'destination' | 'architecture'>,
): DestinationReport {
  return { destination, architecture, ...rest };
}

/**
 * Returns the result, or notes the failure. Also notes an interruption, so that the report has what
 * was done. Throws bugs.
 */
export async function attempt<T>(
  { failures, account, effects }: AccountRun,
  work: () => Promise<T>,
): Promise<T | UserError> {
  try {
    return await work();
  } catch (error) {
    const isInterrupted = effects.signal?.aborted === true;
    const failure: unknown = isInterrupted ? effects.signal?.reason : error;
    if (!(failure instanceof UserError)) throw error;
    if (!isInterrupted) effects.log.warning(`${account.account}: ${messageOf(failure)}`);
    failures.push(failure);
    return failure;
  }
}
