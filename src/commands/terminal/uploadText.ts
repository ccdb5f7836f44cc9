import type { UploadReport } from '../../pipeline/release/upload.ts';
import { formatBytes } from '../../io/amounts.ts';

/** One line for a person. */
export function uploadText({ name, id, size, outcome }: UploadReport, host: string): string {
  const what = `${name} (${formatBytes(size)})`;
  if (outcome === 'present') return `${what} is on ${host} already, as artifact ${id}`;
  return `uploaded ${what} to ${host} as artifact ${id}`;
}
