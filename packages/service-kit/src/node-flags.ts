/**
 * Flags of Node.js that a service is run with, wherever it is run (decisions 0017 and 0020). A small nursery: with the default of 16 MB, what thousands of new
 * connections leave behind lies there for minutes, several times what they hold.
 */
export const NODE_FLAGS = ['--max-semi-space-size=8'];
