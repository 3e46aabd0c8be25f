/** The tracer of a function, which its clients and its handler use. */
import { createTracer } from 'shared/tracing';
import { loadTracingConfig } from 'shared/tracing-config';

export const tracer = createTracer(loadTracingConfig());
