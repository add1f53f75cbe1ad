/** Cycles in a graph of files. Knows nothing of imports. */

/**
 * One shortest way round for each group of nodes that reach each other.
 * @param {Map<string, string[]>} graph
 * @returns {string[][]} each begins and ends with the same node
 */
export function findCycles(graph) {
  return stronglyConnected(graph)
    .map((group) => shortestWayRound(graph, group))
    .filter((cycle) => cycle !== undefined);
}

/** Tarjan's algorithm. @param {Map<string, string[]>} graph @returns {string[][]} */
function stronglyConnected(graph) {
  /** @type {Map<string, {index: number, low: number, onStack: boolean}>} */
  const state = new Map();
  /** @type {string[]} */
  const stack = [];
  /** @type {string[][]} */
  const groups = [];
  for (const node of [...graph.keys()].sort()) if (!state.has(node)) visit(node);
  return groups;

  /** @param {string} node */
  function visit(node) {
    const mine = { index: state.size, low: state.size, onStack: true };
    state.set(node, mine);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      const seen = state.get(next);
      if (seen === undefined) mine.low = Math.min(mine.low, visit(next).low);
      else if (seen.onStack) mine.low = Math.min(mine.low, seen.index);
    }
    if (mine.low === mine.index) {
      const group = stack.splice(stack.indexOf(node));
      for (const member of group) {
        const its = state.get(member);
        if (its !== undefined) its.onStack = false;
      }
      groups.push(group);
    }
    return mine;
  }
}

/** @param {Map<string, string[]>} graph @param {string[]} group @returns {string[] | undefined} */
function shortestWayRound(graph, group) {
  const members = new Set(group);
  const start = [...group].sort()[0];
  if (start === undefined) return undefined;
  /** @type {Map<string, string>} */
  const cameFrom = new Map();
  const queue = [start];
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    for (const next of graph.get(node) ?? []) {
      if (next === start) {
        const way = [start];
        for (let at = node; at !== start; at = cameFrom.get(at) ?? start) way.unshift(at);
        return [start, ...way];
      }
      if (!members.has(next) || cameFrom.has(next)) continue;
      cameFrom.set(next, node);
      queue.push(next);
    }
  }
  return undefined;
}
