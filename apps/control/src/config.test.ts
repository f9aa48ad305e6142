import { describe, expect, it } from 'vitest';
import { readClientConfig, readServeConfig, readSignalConfig } from './config.js';

describe('the configuration of serve', () => {
  it('has the documented defaults', () => {
    expect(readServeConfig({}, {})).toMatchObject({
      http: { host: '127.0.0.1', port: 8080 },
      agents: [{ host: '0.0.0.0', port: 8443 }],
      stun: { host: '0.0.0.0', port: 3478 },
      logLevel: 'info',
    });
    expect(readServeConfig({}, {}).dataDir).toMatch(/\/\.warren$/);
    expect(readServeConfig({}, {})).not.toHaveProperty('databaseUrl');
  });

  it('lets a flag beat the environment, and that the default; empty variables are unset', () => {
    const env = {
      WARREN_HTTP: '127.0.0.1:1',
      WARREN_AGENTS: '',
      DATABASE_URL: 'postgres://h/d',
      WARREN_DATA_DIR: '/d',
    };
    expect(readServeConfig({ http: '[::1]:2' }, env)).toMatchObject({
      http: { host: '::1', port: 2 },
      agents: [{ host: '0.0.0.0', port: 8443 }],
      databaseUrl: 'postgres://h/d',
      dataDir: '/d',
    });
    expect(readServeConfig({}, env).http.port).toBe(1);
  });

  it('takes several addresses for agents', () => {
    expect(readServeConfig({ agents: '0.0.0.0:8443, [::]:443' }, {}).agents).toEqual([
      { host: '0.0.0.0', port: 8443 },
      { host: '::', port: 443 },
    ]);
  });

  it.each([
    [{ http: '8080' }, /--http/],
    [{ http: '127.0.0.1:99999' }, /--http/],
    [{ agents: '1.2.3.4:5,' }, /--agents/],
    [{ agents: Array(9).fill('0.0.0.0:1').join() }, /at most 8/],
    [{ stun: 'x' }, /--stun/],
    [{ databaseUrl: 'mysql://x' }, /--database-url/],
    [{ publicHost: 'a b' }, /--public-host/],
    [{ publicHost: '0.0.0.0' }, /--public-host/],
    [{ logLevel: 'loud' }, /--log-level/],
  ])('refuses %j and names the flag', (flags, message) => {
    expect(() => readServeConfig(flags, {})).toThrow(message);
  });

  it('takes a sealing key of 32 bytes for replicas, and no other', () => {
    const key = Buffer.alloc(32, 7).toString('base64');
    expect(readServeConfig({}, { WARREN_SEALING_KEY: key }).sealingKey).toHaveLength(32);
    expect(readServeConfig({}, { WARREN_BOUNCE_GRACE: '5s' }).bounceGrace).toBe(5_000);
    expect(() => readServeConfig({}, { WARREN_BOUNCE_GRACE: 'soon' })).toThrow(/WARREN_BOUNCE_GRACE/);
    expect(readServeConfig({}, { WARREN_EPHEMERAL_GRACE: '10m' }).ephemeralGrace).toBe(600_000);
    expect(() => readServeConfig({}, { WARREN_EPHEMERAL_GRACE: '5' })).toThrow(/WARREN_EPHEMERAL_GRACE/);
    expect(() => readServeConfig({}, { WARREN_SEALING_KEY: 'abc' })).toThrow(/32 bytes/);
  });
});

describe('the configuration of signal', () => {
  it('has the documented defaults, and takes flag before environment', () => {
    expect(readSignalConfig({}, {})).toEqual({
      ...{ dataDir: expect.stringMatching(/\/\.warren-signal$/), logLevel: 'info' },
      ...{ agents: [{ host: '0.0.0.0', port: 8443 }], stun: { host: '0.0.0.0', port: 3478 } },
    });
    const env = { WARREN_SIGNAL_TOKEN: 'one', WARREN_STUN: '[::]:3478', WARREN_PUBLIC_HOST: 'a.example' };
    expect(readSignalConfig({ token: 'two' }, env)).toMatchObject({
      ...{ token: 'two', publicHost: 'a.example', stun: { host: '::', port: 3478 } },
    });
  });
});

describe('the configuration of a command', () => {
  it('finds the data dir where serve puts it, or a control plane elsewhere', () => {
    expect(readClientConfig({}, {}).dataDir).toBe(readServeConfig({}, {}).dataDir);
    expect(readClientConfig({}, { WARREN_URL: 'https://x/', WARREN_TOKEN: 't' }).remote).toEqual({
      url: 'https://x',
      token: 't',
    });
    expect(() => readClientConfig({}, { WARREN_URL: 'ftp://x', WARREN_TOKEN: 't' })).toThrow(/WARREN_URL/);
  });
});
