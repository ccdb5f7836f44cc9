import { resolve } from 'node:path';
import { array, minLength, pipe } from 'valibot';
import { openWorld } from '../commands/open/openWorld.ts';
import { renderPage } from '../pipeline/report/html/page.ts';
import type { ReportPage } from '../pipeline/report/model.ts';
import { reportPage } from '../pipeline/report/reportPage.ts';
import { BUILD_SCHEMA } from './build.ts';
import { checkArgument, checkOptions } from './checkOptions.ts';
import type { SchemaOf } from './checkOptions.ts';
import type { RunOptions } from './run.ts';
import { contextOf } from './run.ts';
import { withoutSecrets } from './withoutSecrets.ts';
import { text } from './schemas.ts';

export interface ReportOptions {
  /**
   * What devices run: `.mender` files, image archives and image names. The default is what the
   * earlier files and the cache have.
   */
  base?: string[];
  mode?: 'registry-first' | 'local-first' | 'online' | 'offline';
  insecureRegistry?: string[];
  maxLayerSize?: string;
  cacheDir?: string;
}

const { base, mode, insecureRegistry, maxLayerSize, cacheDir } = BUILD_SCHEMA;
const REPORT_SCHEMA: SchemaOf<ReportOptions> = { base, mode, insecureRegistry, maxLayerSize, cacheDir };

/**
 * Measures which files of an artifact cost most. `files`: artifacts of one application, oldest
 * first; the last one is measured, and all are in the history. Throws IntegrityError for an
 * artifact that can't be read or a delta of another base, and NotFoundError for a missing file.
 */
export async function report(
  files: string[],
  options: ReportOptions = {},
  run: RunOptions = {},
): Promise<ReportPage> {
  checkArgument('files', files, pipe(array(text), minLength(1, 'at least one file')));
  checkOptions(options, REPORT_SCHEMA);
  const context = contextOf(run);
  const { base: bases = [], ...places } = options;
  const paths = files.map((path) => resolve(context.folder, path));
  return withoutSecrets(() => reportPage(paths, bases, openWorld(places, context)));
}

/** Returns the page of `report` as HTML. Equal reports give equal text. */
export function renderReport(page: ReportPage): string {
  return renderPage(page);
}
