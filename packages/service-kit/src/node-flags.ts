/**
 * Flags of Node.js that a service is run with, wherever it is run (decision 0017). A small nursery: with the default of 16 MB, what thousands of new
 * connections leave behind lies there for minutes, several times what they hold.
 */
export const NODE_FLAGS = ['--max-semi-space-size=4'];
