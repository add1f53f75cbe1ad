import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';

const STARTER = new URL('./starter.mjs', import.meta.url).href;

/**
 * A tool that is created for one test. `body` is the body of its main. @param {string} body @param
 * {{env?: NodeJS.ProcessEnv}} [options]
 */
function tool(body, options = {}) {
  const text = `import { Failure } from '${new URL('./failure.mjs', import.meta.url).href}';
    import { environmentWithout, startTool } from '${STARTER}';
    startTool(async (args, handOver) => { ${body} });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: 'pipe', ...options });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk;
    });
  return {
    child,
    ended: once(child, 'close').then(([code]) => ({ code, output })),
    async says(/** @type {string} */ text) {
      while (!output.includes(text)) await once(child.stdout, 'data');
    },
  };
}

/** A program that prints the signals that it receives, and exits at the first with its own code. */
const LISTENER = `for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => { console.log('heard ' + signal); process.exit(7); });
  setInterval(() => {}, 1000); console.log('listening');`;

describe('a tool that runs a program', () => {
  test('ends with the exit code of the program', async () => {
    const { code } = await tool("return handOver(process.execPath, ['-e', 'process.exit(5)']);").ended;
    assert.equal(code, 5);
  });

  test('ends with 128 and the number of the signal that ended the program', async () => {
    const { code } = await tool("return handOver(process.execPath, ['-e', 'process.kill(process.pid, \"SIGKILL\")']);")
      .ended;
    assert.equal(code, 137);
  });

  for (const [sent, heard] of /** @type {const} */ ([
    ['SIGINT', 'SIGINT'],
    ['SIGTERM', 'SIGTERM'],
    ['SIGHUP', 'SIGTERM'],
  ]))
    test(`passes ${sent} on as ${heard}, once, and waits for the end`, async () => {
      const it = tool(`return handOver(process.execPath, ['-e', ${JSON.stringify(LISTENER)}]);`);
      await it.says('listening');
      it.child.kill(sent);
      const { code, output } = await it.ended;
      assert.equal(code, 7);
      assert.deepEqual(output.match(/heard \w+/g), [`heard ${heard}`]);
    });

  test('prints the message of a failure without a stack, and exits with its code', async () => {
    const { code, output } = await tool("throw new Failure('No cluster is there.', { exitCode: 2 });").ended;
    assert.equal(code, 2);
    assert.equal(output.trim(), 'No cluster is there.');
  });

  test('removes the settings of the user from the environment', async () => {
    const { output } = await tool("console.log(Object.keys(environmentWithout('MARU_')).join()); return 0;", {
      env: { ...process.env, MARU_PORT: '1', OTHER: '2' },
    }).ended;
    assert.ok(output.includes('OTHER') && !output.includes('MARU_PORT'), output);
  });
});
