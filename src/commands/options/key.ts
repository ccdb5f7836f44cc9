/** The key of those who sign artifacts. */
export const KEY_OPTION = {
  type: 'string',
  describe: 'Public or private key (PEM) to verify the signature with',
} as const;
