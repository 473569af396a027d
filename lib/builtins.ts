// Modules of Node that most programs never need from us. An import of one can cost more than all of
// ringpoll (that of node:fs makes Node load its streams), so each is asked for at its first use.

import type { Cluster } from 'node:cluster';

function atFirstUse<T>(load: () => T): () => T {
  let loaded: T | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}

// Its types say only what `import` gives, but the module is the object itself.
export const cluster = atFirstUse(
  () => process.getBuiltinModule('node:cluster') as unknown as Cluster,
);
export const childProcess = atFirstUse(() => process.getBuiltinModule('node:child_process'));
export const crypto = atFirstUse(() => process.getBuiltinModule('node:crypto'));
export const dns = atFirstUse(() => process.getBuiltinModule('node:dns'));
export const fs = atFirstUse(() => process.getBuiltinModule('node:fs'));
export const http = atFirstUse(() => process.getBuiltinModule('node:http'));
export const http2 = atFirstUse(() => process.getBuiltinModule('node:http2'));
export const nodeModule = atFirstUse(() => process.getBuiltinModule('node:module'));
export const net = atFirstUse(() => process.getBuiltinModule('node:net'));
export const readline = atFirstUse(() => process.getBuiltinModule('node:readline'));
export const path = atFirstUse(() => process.getBuiltinModule('node:path'));
export const stream = atFirstUse(() => process.getBuiltinModule('node:stream'));
export const tls = atFirstUse(() => process.getBuiltinModule('node:tls'));
export const url = atFirstUse(() => process.getBuiltinModule('node:url'));
export const util = atFirstUse(() => process.getBuiltinModule('node:util'));
export const v8 = atFirstUse(() => process.getBuiltinModule('node:v8'));
export const zlib = atFirstUse(() => process.getBuiltinModule('node:zlib'));
export const workerThreads = atFirstUse(() => process.getBuiltinModule('node:worker_threads'));
