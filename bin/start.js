'use strict';
const { existsSync } = require('node:fs');
const nodeModule = require('node:module');
const { join } = require('node:path');
const { compileCacheFolder } = require('./compileCache.js');

// From Node.js 22 on, compiled code is kept for the next run.
if (nodeModule.enableCompileCache !== undefined) {
  const folder = compileCacheFolder(process.env);
  if (folder !== undefined) nodeModule.enableCompileCache(folder);
}
// axios looks for this class, and that makes Node.js load a second HTTP client that nothing here uses.
Object.defineProperty(globalThis, 'FormData', { value: undefined });
const BUNDLE = join(__dirname, '../dist/bundle/cli.js');
if (existsSync(BUNDLE)) {
  void import('../dist/bundle/cli.js').then(async ({ main }) => {
    process.exitCode = await main(process.argv.slice(2));
  });
} else {
  process.stderr.write(`error: the program is not built: there is no ${BUNDLE}\n`);
  process.stderr.write('  try: in a checkout run ./scripts/setup, else install the package again\n');
  // The exit code of a program that is missing.
  process.exitCode = 8;
}
