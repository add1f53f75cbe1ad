/**
 * Flags of Node.js for every service. They limit the young generation of the heap. With the default
 * (32 MB in Node.js 24), garbage of thousands of new connections stays for minutes. A smaller value
 * costs more CPU than the memory is worth (decisions 0017 and 0020).
 */
export const NODE_FLAGS = ['--max-semi-space-size=8'];
