import { writeMetadata } from '../cache/metadata.ts';
import { buildAll } from '../pipeline/build.ts';
import type { BuildFlags } from './buildOptions.ts';
import { buildOptions } from './buildOptions.ts';
import { buildJson, buildText } from './buildReport.ts';
import type { Command } from './command.ts';
import { prepareRun } from './plan.ts';

/** `build MANIFEST..`, also without the word `build`. */
export const buildCommand: Command<BuildFlags> = {
  usage: ['build <manifest..>', '$0 <manifest..>'],
  describe: 'Build a Mender Artifact from a Compose manifest',
  examples: [
    ['$0 docker-compose.yaml -t raspberrypi4 -p linux/arm64 --artifact-version 1.2.0', 'build the artifact'],
    ['$0 build compose.yaml -t qemux86-64 -p linux/amd64 --no-delta', 'ship every layer whole'],
  ],
  options: buildOptions,
  async run(given, context) {
    const { request, world, prepared } = await prepareRun(given, context);
    const built = await buildAll(prepared, request, world);
    for (const { plan, metadata } of built) await writeMetadata(world.cache, plan.application, metadata);
    context.print(context.json ? JSON.stringify(built.map(buildJson), null, 2) : built.map(buildText).join('\n\n'));
  },
};
