import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { asOperatorError, OperatorError } from '../../../src/errors.ts';
import { createLog, type LogOptions } from '../../../src/telemetry/log.ts';
import type { Log } from '../../../src/runtime/ports.ts';

afterEach(() => void jest.restoreAllMocks());

/** The lines that are written while `act` logs. */
async function linesOf(options: Partial<LogOptions>, act: (log: Log) => void): Promise<string[]> {
  let text = '';
  const stdout = (console as unknown as { readonly _stdout?: NodeJS.WriteStream })._stdout ?? process.stdout;
  for (const stream of new Set([stdout, process.stdout])) {
    jest.spyOn(stream, 'write').mockImplementation((chunk) => ((text += String(chunk)), true));
  }
  act(createLog({ level: 'info', format: 'json', ...options }));
  await new Promise((resolve) => setImmediate(resolve));
  jest.restoreAllMocks();
  return text.split('\n').filter((line) => line !== '');
}

async function fieldsOf(fields: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
  const [line = ''] = await linesOf({}, (log) => log.info('said', fields));
  return JSON.parse(line) as Record<string, unknown>;
}

describe('the log', () => {
  it('writes one JSON object a line, with the fields of the child that said it', async () => {
    const lines = await linesOf({}, (log) => log.child({ controller: 'worker' }).warn('waiting', { key: 'ns/a' }));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toEqual({
      ...{ level: 'warn', message: 'waiting', controller: 'worker', key: 'ns/a' },
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  it('keeps silent below its level', async () => {
    expect(await linesOf({ level: 'warn' }, (log) => log.info('unimportant'))).toEqual([]);
  });

  it('shows the causes of an error, and a stack only where it is a defect', async () => {
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const err = new OperatorError('KubernetesUnavailable', 'Could not list', { retry: 'backoff', cause });
    expect((await fieldsOf({ err }))['err']).toEqual({
      ...{ name: 'OperatorError', message: 'Could not list', reason: 'KubernetesUnavailable' },
      cause: { name: 'Error', message: 'refused', code: 'ECONNREFUSED' },
    });
    const broken = new TypeError('x is not a function', { cause: 'a text' });
    const defect = (await fieldsOf({ err: asOperatorError(broken) }))['err'];
    expect(defect).toMatchObject({ cause: { stack: expect.stringContaining('log.test'), cause: 'a text' } });
  });

  it('shows every error of several', async () => {
    const err = new AggregateError([new Error('one'), new Error('two')], 'Could not stop cleanly');
    expect((await fieldsOf({ err }))['err']).toMatchObject({ errors: [{ message: 'one' }, { message: 'two' }] });
  });

  it('never shows credentials, be it by their name or by their looks', async () => {
    const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzYSJ9.c2lnbmF0dXJl';
    const key = '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----';
    const said = await linesOf({}, (log) =>
      log.info('said', {
        ...{ password: 'hunter2', apiKey: 'hunter2', headers: { Authorization: 'hunter2', cookie: ['hunter2'] } },
        err: new Error(`sent Bearer hunter2 to https://user:hunter2@host, with ${jwt} and ${key}`),
      }),
    );
    expect(said.join()).not.toMatch(/hunter2|c2lnbmF0dXJl|MIIE/);
    expect(said.join()).toContain('https://[hidden]@host');
  });

  it.each(['json', 'pretty'] as const)(
    'cannot be made to write a second line or to steer a terminal, as %s',
    async (format) => {
      const evil = 'a\nb\r\u001b[31mc\u009b31md\u2028e\u202ef\u200bg\u007f';
      const lines = await linesOf({ format }, (log) => log.info('said', { evil, [`x${evil}`]: 1 }));
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^[\x20-\x7e]+$/);
      if (format === 'json') expect(JSON.parse(lines[0]!)).toMatchObject({ evil });
    },
  );

  it.each(['json', 'pretty'] as const)('survives what JSON cannot hold, as %s', async (format) => {
    const circle: Record<string, unknown> = {
      big: [10n],
      at: new Date(0),
      bytes: Buffer.from('secret'),
      sign: Symbol('s'),
    };
    circle['self'] = circle;
    const [line] = await linesOf({ format }, (log) => log.info('said', { circle, none: undefined, call: () => 1 }));
    expect(line).toContain('"big":["10"],"at":"1970-01-01T00:00:00.000Z","bytes":"<6 bytes>"');
    expect(line).not.toMatch(/none|call/);
  });

  it('cuts long texts and wide objects', async () => {
    const wide = Array.from({ length: 1_000 }, () => 'x'.repeat(5_000));
    const [line = ''] = await linesOf({}, (log) => log.info('said', { wide }));
    expect(line.length).toBeLessThan(120_000);
  });

  it('lets no field change what the line says', async () => {
    const said = await fieldsOf({ message: 'other', level: 'error', timestamp: 'then', key: 'ns/a' });
    expect(said).toMatchObject({ message: 'said', level: 'info', key: 'ns/a' });
    expect(said['timestamp']).not.toBe('then');
  });
});
