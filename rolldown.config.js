// One file in place of hundreds: loading took most of a short run's time. What is bundled is not installed beside the
// package, so its licences come along.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

/** The folders of the packages that the modules are from. */
function packagesOf(modules) {
  const folders = modules.map((id) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

function noticeOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? '' : `\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  return `${name} ${version}: ${license}\n${text}`;
}

const licences = {
  name: 'licences',
  generateBundle(_options, chunks) {
    const modules = Object.values(chunks).flatMap(({ moduleIds = [] }) => moduleIds);
    const source = packagesOf(modules).map(noticeOf).join('\n----\n\n');
    this.emitFile({ type: 'asset', fileName: 'THIRD-PARTY-LICENSES', source });
  },
};

/** Parts of axios that nothing here uses: its adapter for fetch makes Node.js load a second HTTP client in every run. */
const UNUSED = {
  'axios/lib/adapters/fetch.js': 'export const getFetch = () => undefined;',
  'axios/lib/platform/node/classes/FormData.js': 'export default undefined;',
};

const withoutUnused = {
  name: 'without-unused',
  load(id) {
    const part = Object.keys(UNUSED).find((path) => id.endsWith(`/node_modules/${path}`));
    return part === undefined ? undefined : UNUSED[part];
  },
};

export default {
  input: {
    cli: 'src/cli.ts',
    // Threads are files of their own.
    windowWorker: 'src/delta/builtin/windowWorker.ts',
    unpackThread: 'src/cache/unpackThread.ts',
    digestThread: 'src/download/digestThread.ts',
  },
  platform: 'node',
  external: Object.keys(dependencies),
  plugins: [licences, withoutUnused],
  output: { dir: 'dist/bundle', chunkFileNames: '[name].js', cleanDir: true },
};
