import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
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
  /** Of the device's decoders: resident memory at the highest point. */
  memory: number;
}

const EVERY_MS = 10;

/**
 * Runs a command that works on a device with a disk of its own, and looks at both many times a
 * second. `name`: of the device.
 */
export async function watch(disk: Disk, name: string, command: string[]): Promise<Watched> {
  const env = { ...process.env, DEVICE_HOME: disk.home };
  const device = namespaceOf(readFileSync(join(disk.home, 'dev', name, 'init.pid'), 'utf8').split(' ')[0]!);
  const [written, used, start] = [disk.written(), disk.used(), Date.now()];
  const [program = '', ...argv] = command;
  const child = spawn(program, argv, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  let [peak, memory] = [0, 0];
  const timer = setInterval(() => {
    peak = Math.max(peak, disk.used() - used);
    memory = Math.max(memory, decoderMemory(device));
  }, EVERY_MS);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(timer);
  const seconds = (Date.now() - start) / 1000;
  return { code, output, seconds, peak, written: disk.written() - written, memory };
}

/** What all processes of one device have in common. */
const namespaceOf = (pid: string): string => readlinkSync(`/proc/${pid}/ns/pid`);

/** Peak memory in bytes of the decoders that run in a namespace now. */
function decoderMemory(namespace: string): number {
  let peak = 0;
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      if (!status.startsWith('Name:\txdelta3') || namespaceOf(pid) !== namespace) continue;
      peak = Math.max(peak, 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
    } catch {
      // It has ended.
    }
  }
  return peak;
}
