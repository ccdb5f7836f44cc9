import { execFileSync } from 'node:child_process';

/** Fails the test with the command that installs the tool when it is missing: a test never passes by not running. */
export function requireTool(name: string, debianPackage: string = name): void {
  try {
    execFileSync('sh', ['-c', 'command -v "$0"', name], { stdio: 'ignore' });
  } catch {
    throw new Error(`${name} is not installed: apt-get install -y ${debianPackage}`);
  }
}
