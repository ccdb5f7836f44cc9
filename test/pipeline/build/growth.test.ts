import { createHook } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { addServices, serviceLines } from '../../helpers/manyServices.ts';
import { startMisbehavingRegistry } from '../../helpers/misbehaving-registry.ts';
import { project } from '../../helpers/project.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const [FEW, MANY] = [10, 30] as const;

/** What a build asks of others. */
interface Work {
  requests: number;
  /** Calls to the file system that the process waits for. */
  files: number;
  processes: number;
}

interface Builds {
  first: Work;
  again: Work;
  delta: Work;
  warnings: string[];
}

/** Runs `build` and counts what it does. */
async function counted(seen: readonly unknown[], build: () => Promise<{ code: number }>): Promise<Work> {
  const before = seen.length;
  const counts: Record<string, number> = {};
  const hook = createHook({ init: (_id, type) => void (counts[type] = (counts[type] ?? 0) + 1) });
  hook.enable();
  const { code } = await build().finally(() => hook.disable());
  expect(code).toBe(0);
  const { FSREQPROMISE: promised = 0, FSREQCALLBACK: called = 0, PROCESSWRAP: processes = 0 } = counts;
  return { requests: seen.length - before, files: promised + called, processes };
}

async function buildsOf(services: number): Promise<Builds> {
  const registry = await startMisbehavingRegistry();
  const warnings: string[] = [];
  const note = (warning: Error): void => void warnings.push(`${warning.name}: ${warning.message}`);
  process.on('warning', note);
  try {
    addServices(registry, services);
    const { build } = project(temporaryFolder(), serviceLines(registry.host, services));
    return {
      first: await counted(registry.seen, () => build('1.0', '1')),
      again: await counted(registry.seen, () => build('1.1', '1')),
      delta: await counted(registry.seen, () => build('2.0', '2')),
      warnings,
    };
  } finally {
    process.off('warning', note);
    await registry.stop();
  }
}

test(
  `the work of ${MANY} services is at most in proportion to that of ${FEW}`,
  { timeout: 240_000 },
  async () => {
    const [few, many] = [await buildsOf(FEW), await buildsOf(MANY)];
    for (const which of ['first', 'again', 'delta'] as const) {
      for (const kind of ['requests', 'files', 'processes'] as const) {
        const most = (few[which][kind] * MANY) / FEW;
        expect(many[which][kind], `${kind} of ${which}`).toBeLessThanOrEqual(most);
      }
    }
    // Each image is asked for once, by one request, if nothing changed.
    expect([few.again.requests, many.again.requests]).toEqual([FEW, MANY]);
    expect([few.first.files, many.delta.files].every((files) => files > MANY)).toBe(true);
    expect([...few.warnings, ...many.warnings]).toEqual([]);
  },
);
