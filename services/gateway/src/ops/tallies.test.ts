import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Counter, Histogram, Registry } from 'prom-client';
import { tallyCounter, tallyCounterBy, tallyHistogram, tallyHistogramBy } from './tallies.ts';

const BUCKETS = [0.001, 0.0025, 0.1, 1, 2.5, 10];
const name = 'maru_test';
const help = 'Holds a "quote", a \\ and\na line';

/** Two registries with the same values: prom-client's own metrics, and ours. */
function pair<T, O>(
  theirs: (registers: Registry[]) => T,
  ours: (described: { registry: Registry; name: string; help: string }) => O,
) {
  const expected = new Registry();
  const registry = new Registry();
  return {
    theirs: theirs([expected]),
    ours: ours({ registry, name, help }),
    async same() {
      assert.equal(await registry.metrics(), await expected.metrics());
      const [own] = await registry.getMetricsAsJSON();
      assert.deepEqual(JSON.parse(JSON.stringify(own)), JSON.parse(JSON.stringify(await asPlain(expected))));
    },
  };
}

const asPlain = async (registry: Registry) => {
  const [metric] = await registry.getMetricsAsJSON();
  assert.ok(metric);
  // prom-client reserves a field for exemplars. It is unused here.
  return { ...metric, values: metric.values.map((sample) => ({ ...sample, exemplar: undefined })) };
};

const anyValue = fc.oneof(
  fc.constantFrom(0, -0, ...BUCKETS),
  fc.double({ min: -1, max: 20, noNaN: true }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const anyLabel = fc.constantFrom('message:send', 'typing', 'ok', 'with "quotes"', 'with \\ and \n', '__proto__', '');

test("a histogram exposes the same text as prom-client's", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyValue), async (values) => {
      const { theirs, ours, same } = pair(
        (registers) => new Histogram({ name, help, registers, buckets: BUCKETS }),
        (described) => tallyHistogram({ ...described, buckets: BUCKETS }),
      );
      await same();
      for (const value of values) {
        theirs.observe(value);
        ours.observe(value);
      }
      await same();
    }),
  );
});

test("a histogram by labels exposes the same text as prom-client's, at every scrape", async () => {
  const observations = fc.array(fc.tuple(anyLabel, anyLabel, anyValue));
  await fc.assert(
    fc.asyncProperty(fc.array(observations, { maxLength: 3 }), async (rounds) => {
      const { theirs, ours, same } = pair(
        (registers) => new Histogram({ name, help, registers, buckets: BUCKETS, labelNames: ['event', 'outcome'] }),
        (described) => tallyHistogramBy({ ...described, buckets: BUCKETS, labels: ['event', 'outcome'] }),
      );
      await same();
      for (const round of rounds) {
        for (const [event, outcome, value] of round) {
          theirs.observe({ event, outcome }, value);
          ours.observe(event, outcome, value);
        }
        await same();
      }
    }),
  );
});

test('refuses values that are not numbers, as prom-client does, and changes nothing', async () => {
  const { theirs, ours, same } = pair(
    (registers) => new Histogram({ name, help, registers, buckets: BUCKETS }),
    (described) => tallyHistogram({ ...described, buckets: BUCKETS }),
  );
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    assert.throws(() => theirs.observe(value), TypeError);
    assert.throws(() => ours.observe(value), TypeError);
  }
  await same();
});

test("a counter exposes the same text as prom-client's", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(fc.nat(), { nil: undefined })), async (steps) => {
      const { theirs, ours, same } = pair((registers) => new Counter({ name, help, registers }), tallyCounter);
      await same();
      for (const step of steps) {
        theirs.inc(step);
        ours.inc(step);
      }
      await same();
    }),
  );
});

test("a counter by a label exposes the same text as prom-client's, from the start", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(anyLabel), fc.array(anyLabel), async (from, steps) => {
      const { theirs, ours, same } = pair(
        (registers) => new Counter({ name, help, registers, labelNames: ['reason'] }),
        (described) => tallyCounterBy({ ...described, label: 'reason', from }),
      );
      for (const reason of from) theirs.inc({ reason }, 0);
      await same();
      for (const reason of steps) {
        theirs.inc({ reason });
        ours.inc(reason);
      }
      await same();
    }),
  );
});

test('a metric name cannot be used twice', () => {
  const registry = new Registry();
  tallyHistogram({ registry, name, help, buckets: BUCKETS });
  assert.throws(() => tallyHistogram({ registry, name, help, buckets: BUCKETS }), /already/);
});
