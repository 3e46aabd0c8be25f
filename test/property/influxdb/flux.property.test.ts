/** Flux literals against those of InfluxData's own client. */
import { fluxString as clientFluxString } from '@influxdata/influxdb-client';
import fc from 'fast-check';
import { fluxString } from 'shared/influxdb/flux';

const special = fc.constantFrom('"', '\\', '$', '{', '${', '}', '\n', '\r', '\t', "'", 'a', 'é');

test('any text becomes the literal that the client library makes of it', () => {
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
