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

/** The result, or the failure, which is noted; an interruption and bugs are thrown. */
export async function attempt<T>(
  { failures, account, context }: AccountRun,
  work: () => Promise<T>,
): Promise<T | UserError> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError) || context.signal?.aborted === true) throw error;
    context.log.warning(`${account.account}: ${messageOf(error)}`);
    failures.push(error);
    return error;
  }
}
