/** Compares Flux literals with those of the client of InfluxData. */
import { fluxString as clientFluxString } from '@influxdata/influxdb-client';
import fc from 'fast-check';
import { fluxString } from 'shared/influxdb/flux';

const special = fc.constantFrom('"', '\\', '$', '{', '${', '}', '\n', '\r', '\t', "'", 'a', 'é');

test('writes any text as the same literal as the client library', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(special).map((parts) => parts.join('')),
        fc.string({ unit: 'grapheme' }),
      ),
      (text) => {
        expect(fluxString(text)).toBe(String(clientFluxString(text)));
      },
    ),
  );
});
