#!/usr/bin/env node
import module from 'node:module';

// From Node.js 22 on, what was compiled once is kept for the next run.
module.enableCompileCache?.();
// axios looks whether there is one, which makes Node.js load a second HTTP client that nothing here uses.
Object.defineProperty(globalThis, 'FormData', { value: undefined });
const { main } = await import('../dist/bundle/cli.js');
process.exitCode = await main(process.argv.slice(2));
