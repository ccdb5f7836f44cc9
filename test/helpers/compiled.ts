import { copyFileSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'rolldown/utils';
import type { TransformOptions } from 'rolldown/utils';
import { temporaryFolder } from './temporary.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * As TypeScript with `verbatimModuleSyntax` and `rewriteRelativeImportExtensions`, in a twentieth
 * of the time.
 */
const OPTIONS: TransformOptions = {
  target: 'es2023',
  tsconfig: false,
  typescript: { onlyRemoveTypeImports: true, rewriteImportExtensions: true },
};

/**
 * A folder in `folder` with all sources as JavaScript, as a package has them: only such code starts
 * threads.
 */
export function compiledSources(folder: string = temporaryFolder()): string {
  for (const name of readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.sh') || /decoder\/bin\/linux-/.test(name)) {
      mkdirSync(dirname(join(folder, 'dist', name)), { recursive: true });
      copyFileSync(join(ROOT, 'src', name), join(folder, 'dist', name));
    }
    if (!name.endsWith('.ts') || name.endsWith('.d.ts')) continue;
    const { code, errors } = transformSync(name, readFileSync(join(ROOT, 'src', name), 'utf8'), OPTIONS);
    if (errors.length > 0) throw new Error(`src/${name}: ${JSON.stringify(errors)}`);
    const path = join(folder, 'dist', name.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, code);
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'dist');
}
