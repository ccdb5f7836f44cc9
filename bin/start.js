'use strict';
const nodeModule = require('node:module');
const { compileCacheFolder } = require('./compileCache.js');

// From Node.js 22 on, compiled code is kept for the next run.
if (nodeModule.enableCompileCache !== undefined) {
  const folder = compileCacheFolder(process.env);
  if (folder !== undefined) nodeModule.enableCompileCache(folder);
}
// axios looks for this class, and that makes Node.js load a second HTTP client that nothing here uses.
Object.defineProperty(globalThis, 'FormData', { value: undefined });
void import('../dist/bundle/cli.js').then(async ({ main }) => {
  process.exitCode = await main(process.argv.slice(2));
});
