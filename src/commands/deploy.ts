import { resolve } from 'node:path';
import { readArtifactSets } from '../pipeline/destinations/artifact.ts';
import { deployByMap } from '../pipeline/destinations/deployByMap.ts';
import { deployArtifact } from '../pipeline/release/deploy.ts';
import type { Api } from '../server/api.ts';
import { canAsk } from './terminal/ask.ts';
import { refusePath } from './options/artifactName.ts';
import { UNUSED_CACHE_OPTIONS } from './options/cacheFolder.ts';
import { defineCommand } from './terminal/command.ts';
import type { Context } from './terminal/command.ts';
import { watchHint } from './terminal/uploadText.ts';
import { DEPLOY_OPTIONS, deployRequest, targetWords } from './options/deploy.ts';
import type { DeployFlags } from './options/deploy.ts';
import { DESTINATION_OPTIONS, wantsDestinations } from './options/destinations.ts';
import { mapDeployment, openMapContext } from './open/mapContext.ts';
import { destinationText } from './destinations/report.ts';
import { SERVER_OPTIONS, openServer } from './options/server.ts';
import { UPLOAD_OPTIONS } from './options/upload.ts';
import { finishWatch, watchWithLog } from './options/watch.ts';

/** `deploy ARTIFACT-NAME` */
export const deployCommand = defineCommand({
  usage: 'deploy <artifact>',
  describe:
    'Deploy an artifact of the server, or a file to what a destination map names, and wait for the devices',
  examples: [
    ['$0 deploy app-1.2 -g staging', 'deploy to a group and wait'],
    ['$0 deploy app-1.2 --all-devices --no-wait-for-deploy', 'deploy to all devices and do not wait'],
    ['$0 deploy app-1.2.mender --repo-file map.yaml', 'upload and deploy to all that a map names'],
  ],
  positionals: {
    artifact: {
      type: 'string',
      demandOption: true,
      describe: 'Name of an uploaded artifact; with a destination map a .mender file',
    },
  },
  options: {
    description: {
      type: 'string',
      describe: 'Description of the artifact, when a destination map uploads a file',
    },
    ...DEPLOY_OPTIONS,
    force: { type: 'boolean', hidden: true, describe: 'The same as --force-installation' },
    ...DESTINATION_OPTIONS,
    ...UPLOAD_OPTIONS,
    ...SERVER_OPTIONS,
    ...UNUSED_CACHE_OPTIONS,
  },
  async run(given, context) {
    const forceInstallation = given.forceInstallation ?? given.force ?? false;
    const flags = { ...given, forceInstallation };
    if (wantsDestinations(flags)) {
      const deployment = mapDeployment(flags, context);
      const map = await openMapContext(flags, context);
      const artifacts = await readArtifactSets([resolve(context.folder, flags.artifact)], context.signal);
      const result = await deployByMap(artifacts, deployment, map);
      context.report(result.report, destinationText(result.report));
      if (result.failure !== undefined) throw result.failure;
      return;
    }
    refusePath(flags.artifact, context.folder);
    const request = deployRequest(flags.artifact, flags);
    const api = await openServer(flags, context);
    const { id, joined } = await deployArtifact(request, { api, log: context.log });
    await finishDeployment(api, { id, joined }, flags, context);
  },
});

/** What to type after a change of the application, for a group or all devices. */
function nextBuild(flags: DeployFlags, typedServer: string): string[] {
  const target = targetWords(flags);
  if (target === '') return [];
  const next = `mender-docker-delta build . --artifact-version VERSION${target}${typedServer}`;
  return ['next, after a change:', `  ${next}`];
}

/**
 * Waits for a new deployment, if the options say so, and prints how it ended. Throws
 * DeploymentError if it did not succeed.
 */
async function finishDeployment(
  api: Api,
  { id, joined }: { id: string; joined: boolean },
  flags: DeployFlags,
  context: Context,
): Promise<void> {
  context.log.info(joined ? `deployment ${id} was running already` : `created deployment ${id}`);
  if (flags.waitForDeploy ?? true) {
    finishWatch(await watchWithLog(api, id, flags, context), context, { joined });
    if (canAsk()) for (const line of nextBuild(flags, context.typedServer ?? '')) context.log.info(line);
  } else {
    context.report({ id, joined }, `deployment ${id} is running; ${watchHint(id, context)}`);
  }
}
