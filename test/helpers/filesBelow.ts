import { readdirSync } from 'node:fs';

/** The names of all files in a folder and in those below it. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .map(({ name }) => name);
}
