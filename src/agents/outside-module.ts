import { createRequire } from "node:module";
import { isAbsolute, join } from "node:path";

/**
 * Where a module from outside lies: an npm package that is installed in `home` or beside Drover, or an absolute path, and what
 * loads it from there. Undefined: there is none.
 */
export function findModule(name: string, home: string): { readonly require: NodeJS.Require; readonly path: string } | undefined {
  const places = isAbsolute(name) ? [import.meta.url] : [join(home, "drivers.js"), import.meta.url];
  for (const place of places) {
    const require = createRequire(place);
    try {
      return { require, path: require.resolve(name) };
    } catch {
      continue; // not there; the next place may have it
    }
  }
  return undefined;
}

/** What to tell a person who named a module that is not there. */
export function missingModule(name: string, home: string): string {
  return isAbsolute(name) ? "no module there" : `no package of that name. To install one: npm install --prefix ${home} ${name}`;
}
