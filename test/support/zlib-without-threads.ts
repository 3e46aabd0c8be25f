/** zlib whose callbacks come in the next microtask, for simulations: a virtual clock does not wait for zlib's threads. */
import zlib, { type CompressCallback, type InputType, type ZlibOptions } from 'node:zlib';

const withoutThread =
  (run: typeof zlib.gzipSync) =>
  (data: InputType, ...rest: [ZlibOptions, CompressCallback] | [CompressCallback]): void => {
    const callback = rest[rest.length - 1] as CompressCallback;
    const options = rest.length === 2 ? (rest[0] as ZlibOptions) : {};
    try {
      const result = run(data, options);
      queueMicrotask(() => callback(null, result));
    } catch (error) {
      queueMicrotask(() => callback(error as Error, Buffer.of()));
    }
  };

const { gzip, gunzip } = zlib;
/** Import this module before the modules that use zlib. */
Object.assign(zlib, { gzip: withoutThread(zlib.gzipSync), gunzip: withoutThread(zlib.gunzipSync) });

/** For the other tests of the process. */
export const restoreZlib = (): void => void Object.assign(zlib, { gzip, gunzip });
