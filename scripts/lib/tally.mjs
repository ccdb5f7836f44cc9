// Prints the last line of a test run: how many tests and checks passed and failed.
import { readFileSync } from 'node:fs';

const [failedChecks, ...reports] = process.argv.slice(2);
const counts = { passed: 0, failed: 0, skipped: 0 };
for (const path of reports) {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'));
    counts.passed += report.numPassedTests;
    counts.failed += report.numFailedTests;
    counts.skipped += report.numPendingTests;
  } catch {
    console.log('some tests did not finish');
  }
}
const failed = Math.max(counts.failed, Number(failedChecks));
console.log(
  `${counts.passed} passed, ${failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`,
);
