/** The CI systems whose matrix `bake` can print. */
export const MATRIX_SYSTEMS = ['github', 'gitlab'] as const;
export type MatrixSystem = (typeof MATRIX_SYSTEMS)[number];

/**
 * Returns the jobs of a matrix, one for each word that `bake` takes: for GitHub the value of
 * `strategy.matrix`, for GitLab that of `parallel:matrix`. Pure.
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstrategymatrix
 * https://docs.gitlab.com/ci/yaml/#parallelmatrix
 */
export function matrixOf(words: readonly string[], system: MatrixSystem): object {
  if (system === 'github') return { target: [...words] };
  return words.length === 0 ? [] : [{ TARGET: [...words] }];
}
