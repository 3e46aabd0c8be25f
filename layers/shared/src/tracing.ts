/**
 * Subsegments of X-Ray traces: JSON documents, sent to the daemon of Lambda by UDP. Without tracing, nothing is loaded or sent.
 * Source: "X-Ray segment documents" in the AWS X-Ray developer guide. docs/adr/traces-without-an-sdk.md has the reason.
 */
import type { Socket } from 'node:dgram';
import { loadTracingConfig, type TracingConfig } from './tracing-config';

export interface Tracer {
  /** Runs the work and records it as a part of the invocation's trace. */
  trace<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Sets the annotations of the parts that end from now on. Traces can be searched by them. */
  annotate(annotations: Readonly<Record<string, string>>): void;
}

export const NO_TRACER: Tracer = { trace: (_name, work) => work(), annotate: () => undefined };

/** The first line of each datagram. */
const FORMAT = '{"format":"json","version":1}\n';

/** A tracer that records sampled invocations; one that records nothing if tracing is off. */
export function createTracer(config: TracingConfig | undefined): Tracer {
  if (config === undefined) return NO_TRACER;
  const { daemon, header } = config;
  let socket: Socket | undefined;
  let annotations: Readonly<Record<string, string>> = {};
  const send = async (document: object): Promise<void> => {
    const { createSocket } = await import('node:dgram');
    if (socket === undefined) {
      socket = createSocket('udp4');
      // A lost datagram is a gap in a trace, and must not fail a write.
      socket.on('error', () => undefined);
      socket.unref();
    }
    const datagram = FORMAT + JSON.stringify(document);
    await new Promise<void>((sent) => socket?.send(datagram, daemon.port, daemon.host, () => sent()));
  };
  return {
    annotate: (given) => {
      annotations = given;
    },
    trace: async (name, work) => {
      const parent = sampled(header());
      if (parent === undefined) return await work();
      const start_time = Date.now() / 1000;
      const id = randomId();
      let failure = {};
      try {
        return await work();
      } catch (error) {
        // Without the message, which may quote data.
        const type = error instanceof Error ? error.name : typeof error;
        failure = { fault: true, cause: { exceptions: [{ id: randomId(), type }] } };
        throw error;
      } finally {
        await send({
          name,
          id,
          ...parent,
          type: 'subsegment',
          start_time,
          end_time: Date.now() / 1000,
          annotations,
          ...failure,
        });
      }
    },
  };
}

/** 64 bits, as X-Ray wants. The global does not load a module at the start of the function. */
const randomId = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex');

/** The trace and the segment of the invocation; undefined if its trace is not sampled. */
function sampled(header = ''): { readonly trace_id: string; readonly parent_id: string } | undefined {
  const fields = new Map(
    header.split(';').map((field): [string, string] => {
      const at = field.indexOf('=');
      return [field.slice(0, at).trim(), field.slice(at + 1).trim()];
    }),
  );
  const [trace_id, parent_id] = [fields.get('Root'), fields.get('Parent')];
  if (fields.get('Sampled') !== '1' || trace_id === undefined || parent_id === undefined) return undefined;
  return { trace_id, parent_id };
}

/** The tracer of this function. All its bundles share it, because it is in the layer. */
export const tracer = createTracer(loadTracingConfig());
