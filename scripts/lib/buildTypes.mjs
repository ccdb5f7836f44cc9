// Writes dist/types/index.d.ts, the types of the library.
import { mkdirSync, writeFileSync } from 'node:fs';
import { declarations } from './declarations.mjs';

mkdirSync('dist/types', { recursive: true });
writeFileSync('dist/types/index.d.ts', declarations('.'));
