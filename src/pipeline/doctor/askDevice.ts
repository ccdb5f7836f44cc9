import type { DeviceReport } from '../../device/report.ts';
import { parseProbe } from '../../device/report.ts';
import type { RemoteShell } from '../../device/ssh.ts';
import { ToolError } from '../../errors.ts';
import { ending } from '../../io/redact.ts';
import { probeScript } from '../../mender/onDevice/probeScript.ts';

/** Runs the probe in a shell on a device, which it only reads from. */
export async function askDevice(shell: RemoteShell, signal: AbortSignal): Promise<DeviceReport> {
  const doing = 'asking the device';
  const input = { text: probeScript() };
  const { exitCode, stdout, all } = await shell.run({ doing, words: ['sh', '-s'], input, signal });
  if (exitCode !== 0) {
    throw new ToolError(`${doing} ${shell.name}: the probe ended with ${exitCode}: ${ending(all, 500)}`, {
      hint: 'log in as root, with a POSIX shell',
    });
  }
  return parseProbe(stdout, shell.name);
}
