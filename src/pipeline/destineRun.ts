import type { PlannedAccount } from '../destinations/plan.ts';
import { UserError, messageOf } from '../errors.ts';
import type { Api } from '../server/api.ts';
import type { DestineContext, DestineRequest } from './destineRequest.ts';

/** The part of a run that concerns one account. */
export interface AccountRun {
  request: DestineRequest;
  account: PlannedAccount & { api: Api };
  context: DestineContext;
  failures: UserError[];
}

/** The result, or the failure, which is noted; so is an interruption, as what was done is to be reported. Bugs are thrown. */
export async function attempt<T>(
  { failures, account, context }: AccountRun,
  work: () => Promise<T>,
): Promise<T | UserError> {
  try {
    return await work();
  } catch (error) {
    const isInterrupted = context.signal?.aborted === true;
    const failure: unknown = isInterrupted ? context.signal?.reason : error;
    if (!(failure instanceof UserError)) throw error;
    if (!isInterrupted) context.log.warning(`${account.account}: ${messageOf(failure)}`);
    failures.push(failure);
    return failure;
  }
}
