// node --import ./test/helpers/typescript.js FILE.ts: runs the sources as they are, in a process of their own.
import { register } from 'node:module';

register('./typescript-hooks.js', import.meta.url);
