// Prints the last line of a test run: how many tests and checks passed and failed.
import { readFileSync } from 'node:fs';

const [report, failedChecks] = process.argv.slice(2);
let counts = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0 };
try {
  counts = JSON.parse(readFileSync(report, 'utf8'));
} catch {
  console.log('the tests did not finish');
}
const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = counts;
const worst = Math.max(failed, Number(failedChecks));
console.log(`${passed} passed, ${worst} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
