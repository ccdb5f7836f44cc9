import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { renderPage } from '../pipeline/report/html/page.ts';
import { reportPage } from '../pipeline/report/reportPage.ts';
import { refuseOtherPage, writePage } from '../pipeline/report/writePage.ts';
import { BUILD_OPTIONS } from './options/build.ts';
import { openWorld } from './open/openWorld.ts';
import { defineCommand } from './terminal/command.ts';
import { historyText, sizesText } from './terminal/sizesText.ts';

const {
  mode,
  'insecure-registry': insecureRegistry,
  'max-layer-size': maxLayerSize,
  'cache-dir': cacheDir,
  library,
} = BUILD_OPTIONS;

/** `report FILE.mender.. --base ..` */
export const reportCommand = defineCommand({
  usage: 'report <file..>',
  describe: 'Show which files of an artifact cost most and why, and write it as an HTML page',
  examples: [
    ['$0 report shop-1.1.0.mender --base shop-1.0.0.mender', 'a delta, file by file'],
    ['$0 report shop-1.0.0.mender shop-1.1.0.mender', 'the last one, and the history of both'],
    ['$0 report shop-1.1.0.mender -o size.html', 'write the page to another file'],
  ],
  positionals: {
    file: {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'Artifacts of one application, oldest first',
    },
  },
  options: {
    base: {
      type: 'string',
      array: true,
      describe:
        'What devices run, as for verify: a .mender file, an image archive or an image name; repeatable',
      defaultDescription: 'the base layers that the cache has',
    },
    output: {
      alias: 'o',
      type: 'string',
      describe: 'Page to write, - for stdout',
      defaultDescription: '<name>.report.html',
    },
    mode,
    'insecure-registry': insecureRegistry,
    'max-layer-size': maxLayerSize,
    'cache-dir': cacheDir,
    library,
  },
  async run({ file, base = [], output, ...flags }, context) {
    const paths = file.map((path) => resolve(context.folder, path));
    const target = resolve(
      context.folder,
      output ?? `${basename(paths.at(-1) ?? '', '.mender')}.report.html`,
    );
    if (output !== '-') await refuseOtherPage(target);
    const page = await reportPage(paths, base, openWorld(flags, context));
    if (output === '-') {
      await context.write(bytesOf(renderPage(page)));
      return;
    }
    await writePage(target, page, await modeOf(paths.at(-1) ?? ''));
    const texts = page.artifacts.map(sizesText);
    if (page.history.length > 1) texts.push(historyText(page.history));
    context.report({ page: target, ...page }, [...texts, `page: ${target}`].join('\n\n'));
  },
});

/** The page gets the permissions of the artifact, because it lists the names of its files. */
async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o666;
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(text));
}
