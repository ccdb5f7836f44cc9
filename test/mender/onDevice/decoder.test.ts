import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodedByProgram, NATIVE, patchOf, PROGRAMS } from '../../delta/patch/patches.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { requireTool } from '../../helpers/tools.ts';

const ROOT = join(import.meta.dirname, '../../..');
const LARGEST = 64 << 10;

/** How each program is started on this machine. */
const MACHINES = {
  'linux-amd64': ['qemu-x86_64'],
  'linux-arm64': ['qemu-aarch64'],
  'linux-arm-v7': ['qemu-arm'],
  'linux-arm-v6': ['qemu-arm', '-cpu', 'arm1176'],
  'linux-riscv64': ['qemu-riscv64'],
};
const commands = Object.entries(MACHINES).map(([machine, emulator]) => ({
  machine,
  command: [...emulator, join(PROGRAMS, machine)],
}));

test('the programs are what their sources make, byte for byte', { timeout: 300_000 }, () => {
  const folder = temporaryFolder();
  execFileSync(join(ROOT, 'scripts/decoder'), [folder], { stdio: 'inherit' });
  const names = readdirSync(PROGRAMS).sort();
  expect(names).toEqual(['DIGESTS', ...Object.keys(MACHINES).sort()]);
  for (const name of names) {
    expect(readFileSync(join(folder, name)).equals(readFileSync(join(PROGRAMS, name))), name).toBe(true);
  }
});

test('the self-test is what its generator makes', () => {
  const made = execFileSync(
    process.execPath,
    ['--import', './test/helpers/typescript.js', 'scripts/lib/decoderSelfTest.ts'],
    { cwd: ROOT },
  );
  const committed = readFileSync(join(ROOT, 'src/mender/onDevice/decoder/selfTest.h'));
  expect(made.equals(committed)).toBe(true);
});

test.each(commands)('the program for $machine is small and tests itself', ({ machine, command }) => {
  requireTool(command[0]!, 'qemu-user');
  expect(statSync(join(PROGRAMS, machine)).size).toBeLessThan(LARGEST);
  const { status, stdout, stderr } = spawnSync(command[0]!, [...command.slice(1), 'test'], {
    encoding: 'utf8',
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
});

test.each(commands)(
  'the program for $machine decodes',
  { timeout: 120_000 },
  async ({ machine, command }) => {
    requireTool(command[0]!, 'qemu-user');
    const sources = [readFileSync(join(PROGRAMS, machine)), Buffer.from('a text '.repeat(20_000))];
    const fresh = Buffer.concat([
      sources[0]!.map((byte, at) => (at % 97 === 0 ? byte + 4 : byte)),
      sources[1]!,
    ]);
    const patch = await patchOf(temporaryFolder(), sources, fresh);
    const { status, stderr, target } = decodedByProgram(patch.bytes, patch.sources, command);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(target.equals(fresh)).toBe(true);
  },
);

test('the self-test fails if the program is damaged', () => {
  const program = readFileSync(NATIVE);
  const patch = program.indexOf('MDPATCH\x01');
  expect(patch).toBeGreaterThan(0);
  for (const at of [20, 110, 150]) {
    const path = join(temporaryFolder(), 'decoder');
    const damaged = Buffer.from(program);
    damaged[patch + at]! ^= 1;
    writeFileSync(path, damaged);
    chmodSync(path, 0o755);
    const { status, stderr } = spawnSync(path, ['test'], { encoding: 'utf8' });
    expect({ at, status }).toEqual({ at, status: 1 });
    expect(stderr).toMatch(/^decoder: .+\n$/);
  }
});

const USAGE = 'expected test, or decode SOURCE... < PATCH > RESULT';
test.each([
  ['no command', [], USAGE],
  ['another command', ['encode', '/dev/null'], USAGE],
  ['no source', ['decode'], USAGE],
  ['too many sources', ['decode', 'SOURCE', 'SOURCE'], 'the patch has fewer sources than were given'],
  ['a missing source', ['decode', '/dev/null/missing'], "a source can't be opened"],
  ['a source of another size', ['decode', '/dev/null'], 'a source has another size than the patch says'],
])('%s is refused', async (_name, line, reason) => {
  const patch = await patchOf(temporaryFolder(), [Buffer.from('a source')], Buffer.from('a target'));
  const args = line.map((word) => word.replace('SOURCE', patch.sources[0]!));
  const { status, stderr, stdout } = spawnSync(NATIVE, args, { input: patch.bytes, encoding: 'utf8' });
  expect({ status, stderr, stdout }).toEqual({ status: 1, stderr: `decoder: ${reason}\n`, stdout: '' });
});
