import type { Argv } from 'yargs';
import { deployArtifact } from '../pipeline/deploy.ts';
import type { Api } from '../server/api.ts';
import type { Command, Context } from './command.ts';
import { DEPLOY_OPTIONS, deployRequest } from './deployOptions.ts';
import type { DeployFlags } from './deployOptions.ts';
import { SERVER_OPTIONS, openServer } from './serverOptions.ts';
import type { ServerFlags } from './serverOptions.ts';
import { finishWatch, watchWithLog } from './watchOptions.ts';

interface Flags extends ServerFlags, DeployFlags {
  artifact: string;
}

/** `deploy ARTIFACT-NAME` */
export const deployCommand: Command<Flags> = {
  usage: 'deploy <artifact>',
  describe: 'Deploy an artifact that is on the server, and wait until it is installed',
  examples: [
    ['$0 deploy app-1.2 -g staging', 'deploy to a group and wait'],
    ['$0 deploy app-1.2 --all-devices --no-wait-for-deploy', 'deploy to all devices and go on'],
  ],
  options: (parser) =>
    parser
      .positional('artifact', {
        type: 'string',
        demandOption: true,
        describe: 'Name of an uploaded artifact',
      })
      .options({ ...DEPLOY_OPTIONS, ...SERVER_OPTIONS }) as unknown as Argv<Flags>,
  async run(flags, context) {
    const request = deployRequest(flags.artifact, flags);
    const api = await openServer(flags, context);
    const { id, joined } = await deployArtifact(request, { api, log: context.log });
    await finishDeployment(api, { id, joined }, flags, context);
  },
};

/** Waits for a deployment that was just created, if so wished, and prints how it went. Throws DeploymentError if not well. */
async function finishDeployment(
  api: Api,
  { id, joined }: { id: string; joined: boolean },
  flags: DeployFlags,
  context: Context,
): Promise<void> {
  const { json, log } = context;
  log.info(joined ? `deployment ${id} was running already` : `created deployment ${id}`);
  if (flags.waitForDeploy ?? true) {
    finishWatch(await watchWithLog(api, id, flags, context), context, { joined });
  } else {
    context.print(
      json
        ? JSON.stringify({ id, joined })
        : `deployment ${id} goes on: deployments watch ${id} waits for it`,
    );
  }
}
