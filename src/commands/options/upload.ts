/** What every command that uploads offers. */
export const UPLOAD_OPTIONS = {
  'direct-upload': {
    group: 'The server:',
    type: 'boolean',
    describe: "Upload straight to the server's storage, where a self-hosted server offers that",
  },
} as const;
