/**
 * Flags of Node.js that a service is run with, wherever it is run. A small nursery: in the default one (32 MB in Node.js 24) lies for minutes what thousands of new
 * connections leave behind; one that is smaller than this makes connecting dearer than it saves (decisions 0017 and 0020).
 */
export const NODE_FLAGS = ['--max-semi-space-size=8'];
