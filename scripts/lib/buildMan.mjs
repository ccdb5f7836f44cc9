// Writes the manual page for the package. Needs the bundle.
import { mkdirSync, writeFileSync } from 'node:fs';
import { manual } from '../../dist/bundle/cli.js';

const folder = new URL('../../dist/man/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('mender-docker-delta.1', folder), manual());
