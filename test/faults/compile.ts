import { cpSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';
import type { Tool } from './tool.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const compilerOptions: ts.CompilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2023,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
};

/** The command line tool as it is now, compiled into `folder`: it starts as fast as for users. */
export function compiledIn(folder: string): Tool {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  for (const name of sources.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))) {
    const source = readFileSync(join(ROOT, 'src', name), 'utf8');
    const target = join(folder, 'dist', name.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, ts.transpileModule(source, { compilerOptions }).outputText);
  }
  for (const part of ['bin', 'package.json'])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return [process.execPath, join(folder, 'bin/mender-docker-delta.js')];
}
