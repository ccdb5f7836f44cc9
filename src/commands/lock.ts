import { amountOf } from '../io/amounts.ts';
import { writeLock } from '../pipeline/base/lockFile.ts';
import { BUILD_POSITIONALS } from './options/build.ts';
import { PLAN_OPTIONS } from './build/plan.ts';
import { prepareRuns } from './build/prepareRuns.ts';
import { defineCommand } from './terminal/command.ts';

/** `lock COMPOSE-FILE..` */
export const lockCommand = defineCommand({
  usage: 'lock <manifest..>',
  describe: 'Write the digests of the images into a lock file next to the Compose file; downloads no layer',
  examples: [
    ['$0 lock compose.yaml', 'before a release; commit the file'],
    ['$0 build compose.yaml --release --locked', 'release exactly these images'],
  ],
  positionals: BUILD_POSITIONALS,
  options: PLAN_OPTIONS,
  async run(flags, context) {
    // A lock file does not depend on the version and the base.
    const artifactVersion = flags.artifactVersion ?? '0';
    const given = { ...flags, artifactVersion, delta: false, locked: false, upload: false };
    const { runs } = await prepareRuns(given, context);
    let [path, services] = ['', 0];
    for (const { prepared } of runs) {
      const { application, images, request } = prepared;
      path = await writeLock(application.projectFolder, request.platform, images, context.log);
      services = images.flatMap((image) => image.services).length;
    }
    const platforms = runs.length > 1 ? ` for ${amountOf(runs.length, 'platform')}` : '';
    context.report({ path, services }, `${path}: ${amountOf(services, 'service')}${platforms}`);
  },
});
