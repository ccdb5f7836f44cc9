import type { UserError } from '../../errors.ts';
import { BUILD_OPTIONS, BUILD_POSITIONALS, PASSED_ON } from '../options/build.ts';
import { DESTINATION_OPTIONS } from '../options/destinations.ts';
import { defineCommand } from '../terminal/command.ts';
import type { Context } from '../terminal/command.ts';
import { DELIVER_OPTIONS } from './deliver.ts';
import { buildForMap } from './forMap.ts';
import { buildForServer } from './forServer.ts';
import { cacheLimitsOf, makeRoom } from './makeRoom.ts';
import { prepareRuns } from './prepareRuns.ts';
import type { BuildRuns } from './prepareRuns.ts';
import { TO_OPTIONS, buildForDevices, openDevices } from './forDevices.ts';
import type { LocalDevice } from './forDevices.ts';

/** `build COMPOSE-FILE..`, also without the word `build`. */
export const buildCommand = defineCommand({
  usage: 'build <manifest..>',
  passesOn: PASSED_ON,
  describe: 'Build a Mender Artifact from a Compose file, upload it and deploy it',
  examples: [
    ['$0 docker-compose.yaml -t raspberrypi4 -p linux/arm64 --no-upload', 'only build the artifact'],
    ['$0 compose.yaml -t qemux86-64 -p linux/amd64 -g staging', 'build, upload, deploy to a group and wait'],
    ['$0 compose.yaml -p linux/amd64,linux/arm64', 'an artifact for each platform'],
    ['$0 compose.yaml --release --also-full', 'a delta to the release before, and a full artifact'],
    ['$0 compose.yaml --to ssh://root@raspberrypi.local', 'build and install on one device, over ssh'],
    ['$0 compose.yaml --repo-file map.yaml', 'build, upload and deploy to all that a map names'],
  ],
  positionals: BUILD_POSITIONALS,
  options: { ...BUILD_OPTIONS, ...TO_OPTIONS, ...DELIVER_OPTIONS, ...DESTINATION_OPTIONS },
  async run(given, context) {
    const limits = cacheLimitsOf(given);
    const devices = await openDevices(given, context);
    const runs = await prepareRuns(given, context, { running: devices, delivers: true });
    const failure = await buildAndDeliver(runs, devices, context);
    await makeRoom(runs.world, limits);
    if (failure !== undefined) throw failure;
  },
});

/** Returns the error of a delivery that failed after the build and its report. */
async function buildAndDeliver(
  all: BuildRuns,
  devices: readonly LocalDevice[],
  context: Context,
): Promise<UserError | undefined> {
  if (devices.length > 0) return buildForDevices(all, devices, context);
  const map = all.runs[0]?.map;
  if (map !== undefined) return buildForMap(all, map, context);
  return buildForServer(all, context);
}
