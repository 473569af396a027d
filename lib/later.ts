// The real setImmediate, also where tests put another in its place later. What is loaded first
// imports this: most of the package is loaded with the first socket, and that may be too late.

export const later: typeof setImmediate = setImmediate;
