import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDatabaseUrl, parseDatabaseUrl } from './connection.js';

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 });
const host = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.constantFrom('::1', 'fd00::5', 'localhost'),
  text.map((name) => `/run/${name}`),
);

test('whatever is written as a URL is read back as it was', () => {
  fc.assert(
    fc.property(host, fc.integer({ min: 1, max: 65_535 }), text, text, text, (at, port, user, password, database) => {
      const connection = { host: at.toLowerCase(), port, user, password, database };
      expect(parseDatabaseUrl(formatDatabaseUrl(connection))).toEqual({ ...connection, ssl: false });
    }),
  );
});

test('no text makes the reader throw anything but its own refusal', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.string().map((s) => `postgresql://${s}`),
      ),
      (given) => {
        try {
          parseDatabaseUrl(given);
        } catch (error) {
          expect(error).toMatchObject({ code: 'database-url-invalid' });
        }
      },
    ),
    { numRuns: 2000 },
  );
});
