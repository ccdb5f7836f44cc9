import { DeniedError } from '../errors.ts';
import { rolloutError } from '../pipeline/rollout/outcome.ts';
import { prepareRollout } from '../pipeline/rollout/prepareRollout.ts';
import type { RolloutPlan } from '../pipeline/rollout/rolloutPlan.ts';
import { runRollout } from '../pipeline/rollout/run.ts';
import { rolloutEndText, rolloutPlanText } from './fleet/rolloutReport.ts';
import type { BuildFlags } from './options/build.ts';
import { BUILD_POSITIONALS, PASSED_ON } from './options/build.ts';
import { LINK_OPTION, linkRate, warnOfLink } from './options/link.ts';
import { readProject } from './open/project.ts';
import { requestOf } from './options/request.ts';
import type { RolloutFlags } from './options/rollout.ts';
import { ROLLOUT_BUILD_OPTIONS, ROLLOUT_OPTIONS, rolloutRequest } from './options/rollout.ts';
import type { ServerFlags } from './options/server.ts';
import { SERVER_OPTIONS, openServer } from './options/server.ts';
import { openWorld } from './open/openWorld.ts';
import { ownFiles } from './open/ownFiles.ts';
import { defineCommand } from './terminal/command.ts';
import type { Context } from './terminal/command.ts';

export type Flags = BuildFlags & RolloutFlags & ServerFlags & { link?: string };

/** `rollout COMPOSE-FILE..` */
export const rolloutCommand = defineCommand({
  usage: 'rollout <manifest..>',
  passesOn: PASSED_ON,
  describe: 'Bring a release to devices of all versions: build what is missing, deploy, wait and repair',
  examples: [
    ['$0 rollout . --release -g staging --dry-run', 'who would get what, and how many bytes'],
    ['$0 rollout . --release -g production --phases 5%,100% --max-failures 2%', 'in two steps'],
  ],
  positionals: BUILD_POSITIONALS,
  options: { ...ROLLOUT_BUILD_OPTIONS, ...ROLLOUT_OPTIONS, ...LINK_OPTION, ...SERVER_OPTIONS },
  async run(given, context) {
    const { plan, rollout, api, rate, dryRun } = await openRollout(given, context);
    warnOfLink(downloadsOf(plan), rate, context.log);
    if (dryRun || !context.json) context.report(plan, rolloutPlanText(plan, rate));
    if (dryRun) return;
    const end = await runRollout(rollout, { api, log: context.log });
    context.report({ plan, ...end }, rolloutEndText(plan, end));
    const failure = rolloutError(end, `${plan.application} ${plan.version}`);
    if (failure !== undefined) throw failure;
  },
});

/** Looks at the server and plans, as the flags and the settings of the Compose file say. */
export async function openRollout(given: Flags, context: Context) {
  const { environment, folder } = context;
  const rate = linkRate(given);
  const { application, flags } = await readProject(given, context);
  const request = rolloutRequest(flags);
  const build = requestOf(flags, environment, folder);
  const api = await openServer(flags, context);
  const servers = [{ name: api.host, api }];
  const world = { ...openWorld(flags, context), servers, ownFiles: await ownFiles(flags, context) };
  const prepared = await prepareRollout(application, build, request, { api, world }).catch(explainDenied);
  return { ...prepared, api, rate, dryRun: flags.dryRun ?? false };
}

/** Says what a rollout needs, where the server refuses it. */
function explainDenied(error: unknown): never {
  if (!(error instanceof DeniedError) || !error.message.includes('answered 403')) throw error;
  throw new DeniedError(`a rollout must know which device runs which version: ${error.message}`, {
    hint: 'ask for a role that may read devices and releases and deploy; or deploy a full artifact to the group: mender-docker-delta build COMPOSE-FILE --no-delta',
    cause: error,
  });
}

/** What devices download, as far as the sizes are known. */
function downloadsOf({ deliveries }: RolloutPlan): { name: string; size: number }[] {
  return deliveries.flatMap(({ artifact: name, size }) => (size === null ? [] : { name, size }));
}
