/** The rate of the devices' link, for commands that say what bytes mean. */
export const LINK_OPTION = {
  link: {
    type: 'string',
    describe: 'Rate of the link of the devices, like 100kbit: shows how long a download takes',
  },
} as const;
