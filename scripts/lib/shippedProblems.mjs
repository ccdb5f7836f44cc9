/**
 * One line for each vulnerable package that ships, of the `vulnerabilities` that `npm audit --json`
 * prints.
 */
export function shippedProblems(vulnerabilities, shipped) {
  return Object.values(vulnerabilities)
    .filter(({ name }) => shipped.has(name))
    .map(({ name, severity, range, via }) => {
      const causes = via.map((cause) =>
        typeof cause === 'string' ? cause : `${cause.title} (${cause.url})`,
      );
      return `${name} ${range}: ${severity}: ${causes.join('; ')}`;
    });
}
