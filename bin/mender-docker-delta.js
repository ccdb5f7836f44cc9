#!/usr/bin/env node
import module from 'node:module';

// From Node.js 22 on, what was compiled once is kept for the next run.
module.enableCompileCache?.();
const { main } = await import('../dist/bundle/cli.js');
process.exitCode = await main(process.argv.slice(2));
