import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import type { Disk } from './disk.ts';

/** What a command did, and what it took while it ran. All sizes are in bytes. */
export interface Watched {
  code: number | null;
  output: string;
  seconds: number;
  /** Used disk at the highest point, over that before. */
  peak: number;
  /** Written to the disk. */
  written: number;
  /** Of the decoders: resident memory at the highest point. */
  memory: number;
}

const EVERY_MS = 10;

/** Runs a command that works on a device with a disk of its own, and looks at that many times a second. */
export async function watch(disk: Disk, command: string[], env: NodeJS.ProcessEnv): Promise<Watched> {
  const [written, used, start] = [disk.written(), disk.used(), Date.now()];
  const [program = '', ...argv] = command;
  const child = spawn(program, argv, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  let [peak, memory] = [0, 0];
  const timer = setInterval(() => {
    peak = Math.max(peak, disk.used() - used);
    memory = Math.max(memory, decoderMemory());
  }, EVERY_MS);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(timer);
  const seconds = (Date.now() - start) / 1000;
  return { code, output, seconds, peak, written: disk.written() - written, memory };
}

/** Peak memory in bytes of the decoders that run now. */
function decoderMemory(): number {
  let peak = 0;
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      if (!status.startsWith('Name:\txdelta3')) continue;
      peak = Math.max(peak, 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
    } catch {
      // It has ended.
    }
  }
  return peak;
}
