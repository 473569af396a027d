import { dirname } from 'node:path';

// The packages lie in the folder above.
const root = dirname(import.meta.dirname);
export default { output: 'standalone', outputFileTracingRoot: root, turbopack: { root } };
