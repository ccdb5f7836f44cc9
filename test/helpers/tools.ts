import { execFileSync } from 'node:child_process';

const found = new Set<string>();

/**
 * Fails the test with the command that installs the tool when it is missing: a test never passes by
 * not running.
 */
export function requireTool(name: string, debianPackage: string = name): void {
  if (found.has(name)) return;
  try {
    execFileSync('sh', ['-c', 'command -v "$0"', name], { stdio: 'ignore' });
    found.add(name);
  } catch {
    throw new Error(`${name} is not installed: apt-get install -y ${debianPackage}`);
  }
}
