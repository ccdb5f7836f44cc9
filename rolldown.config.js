// Bundles the tool into one file, because loading hundreds of files took most of a short run's time. Bundled packages are
// not installed with the tool, so the bundle brings their licences.
import { chmodSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const { dependencies, optionalDependencies } = JSON.parse(
  readFileSync(new URL('package.json', import.meta.url), 'utf8'),
);

/** The folders of the packages that the modules belong to. */
function packagesOf(modules) {
  const folders = modules.map((id) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

/** The text of a package's licence: a file of its own, or the section of its README. Throws if there is neither. */
function licenceText(folder, name) {
  const files = readdirSync(folder);
  const licence = files.find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  if (licence !== undefined) return readFileSync(join(folder, licence), 'utf8').trim();
  const readme = files.find((entry) => /^readme/i.test(entry));
  const text = readme === undefined ? '' : readFileSync(join(folder, readme), 'utf8');
  const section = /^(?:#+ *licen[cs]e.*|licen[cs]e\n-+)\n([\s\S]*?)(?=^#|^\[|(?![\s\S]))/im
    .exec(text)?.[1]
    .trim();
  if (section === undefined || section.length < 500) throw new Error(`${name} has no text of its licence`);
  return section;
}

function noticeOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return `${name} ${version}: ${license}\n\n${licenceText(folder, name)}\n`;
}

const licences = {
  name: 'licences',
  generateBundle(_options, chunks) {
    const modules = Object.values(chunks).flatMap(({ moduleIds = [] }) => moduleIds);
    const source = packagesOf(modules).map(noticeOf).join('\n----\n\n');
    this.emitFile({ type: 'asset', fileName: 'THIRD-PARTY-LICENSES', source });
  },
};

/** The decoders that artifacts carry. */
const DECODERS = readdirSync(new URL('src/mender/onDevice/decoder/bin', import.meta.url)).filter((name) =>
  name.startsWith('linux-'),
);

/** Files that the tool reads at run time, next to the bundle. */
const assets = {
  name: 'assets',
  generateBundle() {
    for (const fileName of ['state-script.sh', 'probe.sh', 'local-install.sh']) {
      const source = readFileSync(new URL(`src/mender/onDevice/${fileName}`, import.meta.url));
      this.emitFile({ type: 'asset', fileName, source });
    }
    for (const name of DECODERS) {
      const fileName = `decoder/bin/${name}`;
      const source = readFileSync(new URL(`src/mender/onDevice/${fileName}`, import.meta.url));
      this.emitFile({ type: 'asset', fileName, source });
    }
  },
  writeBundle({ dir }) {
    // A build proves patches with the decoder of its own machine.
    for (const name of DECODERS) chmodSync(join(dir, 'decoder/bin', name), 0o755);
  },
};

/** Parts of axios that nothing here uses. Its adapter for fetch makes Node.js load a second HTTP client in every run. */
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
    index: 'src/index.ts',
    // Threads are files of their own.
    windowWorker: 'src/delta/builtin/windowWorker.ts',
    unpackThread: 'src/cache/unpackThread.ts',
    digestThread: 'src/download/digestThread.ts',
    patchThread: 'src/delta/patchThread.ts',
  },
  platform: 'node',
  external: Object.keys({ ...dependencies, ...optionalDependencies }),
  plugins: [licences, assets, withoutUnused],
  output: {
    dir: 'dist/bundle',
    chunkFileNames: '[name].js',
    cleanDir: true,
    sourcemap: 'hidden',
    sourcemapExcludeSources: true,
  },
};
