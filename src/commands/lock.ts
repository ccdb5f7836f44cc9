import { amountOf } from '../io/amounts.ts';
import { writeLock } from '../pipeline/base/lockFile.ts';
import { BUILD_POSITIONALS } from './options/build.ts';
import { PLAN_OPTIONS } from './build/plan.ts';
import { prepareRun } from './build/prepareRun.ts';
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
    const { request, prepared } = await prepareRun(given, context);
    const { projectFolder } = prepared.application;
    const path = await writeLock(projectFolder, request.platform, prepared.images, context.log);
    const services = prepared.images.flatMap((image) => image.services).length;
    context.report({ path, services }, `${path}: ${amountOf(services, 'service')}`);
  },
});
