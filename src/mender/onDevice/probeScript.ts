import { readFileSync } from 'node:fs';

/**
 * Returns `probe.sh`, which tells what a device has. It is the standard input of a shell on the
 * device, or a state script.
 */
export function probeScript(): string {
  // Next to this file in the sources, next to the bundle in the package.
  return readFileSync(new URL('./probe.sh', import.meta.url), 'utf8');
}
