import type { Profiler } from 'node:inspector/promises';
import { Session } from 'node:inspector/promises';

/** Tells which inputs run code that no earlier input has run. */
export interface Coverage {
  /** The parts of `src/` that have run for the first time since the last call. */
  newParts(): Promise<number>;
  end(): void;
}

/** Starts to count which blocks of the sources run, by V8's own coverage. */
export async function measureCoverage(): Promise<Coverage> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true });
  const seen = new Set<string>();
  return {
    async newParts() {
      const { result } = await session.post('Profiler.takePreciseCoverage');
      const before = seen.size;
      for (const part of result.filter(isOurs).flatMap(partsOf)) seen.add(part);
      return seen.size - before;
    },
    end: () => session.disconnect(),
  };
}

function isOurs({ url }: Profiler.ScriptCoverage): boolean {
  return url.includes('/src/') && !url.includes('/node_modules/');
}

function partsOf({ url, functions }: Profiler.ScriptCoverage): string[] {
  return functions.flatMap(({ ranges }) =>
    ranges
      .filter(({ count }) => count > 0)
      .map(({ startOffset, endOffset }) => `${url} ${startOffset} ${endOffset}`),
  );
}
