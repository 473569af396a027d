// Where the package lies. Bundled and not, this module is two folders below its top.

/** The folder of package.json, as a URL with a slash at its end. */
export const packageFolder = new URL('../../', import.meta.url);
