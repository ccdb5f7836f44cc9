import { lstat, writeFile } from 'node:fs/promises';
import { UsageError, systemCodeOf } from '../../errors.ts';
import { fileError, firstBytes, writeAtomically } from '../../io/files.ts';
import { PAGE_START } from '../../compose/ship/leftOut.ts';
import { renderPage } from './html/page.ts';
import type { ReportPage } from './model.ts';

/**
 * Throws UsageError if something other than a report is at `path`: a typing error must not cost a
 * file of the user.
 */
export async function refuseOtherPage(path: string): Promise<void> {
  if (await isReportOrMissing(path)) return;
  throw new UsageError(`writing the report ${path}: there is something else that is not a report`, {
    hint: 'choose another file, or remove this one',
  });
}

async function isReportOrMissing(path: string): Promise<boolean> {
  try {
    if (!(await lstat(path)).isFile()) return false;
    return (await firstBytes(path, PAGE_START.length)).toString() === PAGE_START;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return true;
    throw fileError(error, `writing the report ${path}`);
  }
}

/**
 * Writes the page, whole or not at all. Replaces an older report and throws UsageError for any
 * other file. `mode`: permission bits, less the umask.
 */
export async function writePage(path: string, page: ReportPage, mode = 0o666): Promise<void> {
  await refuseOtherPage(path);
  await writeAtomically(path, (temporary) => writeFile(temporary, renderPage(page), { mode }));
}
