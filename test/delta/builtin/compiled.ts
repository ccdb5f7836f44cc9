import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

const SOURCES = join(import.meta.dirname, '../../../src');

/**
 * Compiles what the encoder consists of into `folder`, as the package is built, and returns the path of its entry: its
 * threads exist only there, as Node.js 20 runs no TypeScript in them.
 */
export function compiledEncoder(folder: string): string {
  for (const part of ['vcdiff', 'delta/builtin', 'delta/tar']) {
    for (const name of readdirSync(join(SOURCES, part))) compile(join(part, name), folder);
  }
  compile('errors.ts', folder);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  return join(folder, 'delta/builtin/encode.js');
}

function compile(name: string, folder: string): void {
  const { outputText } = ts.transpileModule(readFileSync(join(SOURCES, name), 'utf8'), {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  });
  const path = join(folder, name.replace(/\.ts$/, '.js'));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, outputText);
}
