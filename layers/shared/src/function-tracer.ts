/** The tracer of a function. All bundles of the function share it, because it is in the layer. */
import { createTracer } from './tracing';
import { loadTracingConfig } from './tracing-config';

export const tracer = createTracer(loadTracingConfig());
