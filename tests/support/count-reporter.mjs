/**
 * A reporter of Node's test runner that writes one JSON object, the counts of the whole run. It stands beside a reporter for people,
 * so that `tools/test.mjs` need not read what people read.
 * @param {AsyncIterable<{type: string, data: {file?: string, counts?: Record<string, number>}}>} events
 */
export default async function* countReporter(events) {
  for await (const { type, data } of events) {
    // Each file has a summary of its own; the one without a file is of the whole run.
    if (type === 'test:summary' && data.file === undefined) yield JSON.stringify(data.counts);
  }
}
