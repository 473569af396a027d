// Finds the handler of a path. Paths without parameters are looked up whole, others in a tree of
// segments, in which a literal segment goes before a parameter, and a parameter before '*'.
//
// It is our own because it is small: no regular expressions, so nothing that a path can make slow,
// and the answers that the method decides (405, HEAD by GET) come from the same table.
import { invalidArgType, invalidArgValue } from '../errors.js';
import { normalKey } from './paths.js';
import { METHODS } from './tables.js';

/** A handler for every method, or one for each. */
export type Route<Handler> = Handler | { [method: string]: Handler };

/** Which handler a path leads to: a literal, `/users/:id`, or `/files/*` for all that begins so. */
export type Routes<Handler> = Record<string, Route<Handler>>;

interface Target<Handler> {
  /** The pattern. */
  path: string;
  any: Handler | undefined;
  byMethod: Map<string, Handler> | undefined;
  /** For 405. */
  allow: string;
  names: readonly string[];
}

interface Node<Handler> {
  literals: Map<string, Node<Handler>>;
  parameter: Node<Handler> | undefined;
  rest: Target<Handler> | undefined;
  here: Target<Handler> | undefined;
}

export interface Found<Handler> {
  /** The pattern of the route. */
  path: string;
  /** undefined: the path is known, and the method is not allowed. */
  handler: Handler | undefined;
  allow: string;
  names: readonly string[];
  values: readonly string[];
}

const NONE: readonly string[] = [];
const KNOWN_METHODS = new Set(METHODS.slice(1));

function node<Handler>(): Node<Handler> {
  return { literals: new Map(), parameter: undefined, rest: undefined, here: undefined };
}

export class Router<Handler> {
  readonly #literals = new Map<string, Target<Handler>>();
  readonly #tree = node<Handler>();
  #hasTree = false;

  /** @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, ERR_RINGPOLL_INVALID_ARG_VALUE */
  constructor(routes: Routes<Handler>) {
    if (typeof routes !== 'object' || routes === null) {
      throw invalidArgType('options.routes', 'an object', routes);
    }
    for (const [path, route] of Object.entries(routes)) this.#add(path, route);
  }

  #add(given: string, route: Route<Handler>): void {
    checkPath(given);
    const path = normalKey(given);
    const segments = segmentsOf(path);
    const names = segments.flatMap((segment) =>
      segment.startsWith(':') ? [segment.slice(1)] : segment === '*' ? ['*'] : [],
    );
    if (new Set(names).size < names.length) {
      throw invalidArgValue('options.routes', 'free of parameters with the same name', path);
    }
    const target = targetOf(path, route, names);
    if (names.length === 0) {
      this.#checkFree(this.#literals.get(path), path);
      this.#literals.set(path, target);
      return;
    }
    this.#hasTree = true;
    let at = this.#tree;
    for (const segment of segments) {
      if (segment === '*') {
        this.#checkFree(at.rest, path);
        at.rest = target;
        return;
      }
      at = segment.startsWith(':') ? parameterOf(at) : literalOf(at, segment);
    }
    this.#checkFree(at.here, path);
    at.here = target;
  }

  #checkFree(taken: unknown, path: string): void {
    if (taken !== undefined) {
      throw invalidArgValue('options.routes', 'free of paths that mean the same', path);
    }
  }

  /** undefined: no route has this path, which is one of HttpRequest's. */
  find(method: string, path: string): Found<Handler> | undefined {
    const literal = this.#literals.get(path);
    if (literal !== undefined) return choose(literal, method, NONE);
    if (!this.#hasTree) return undefined;
    const segments = path.slice(1).split('/');
    const values: string[] = [];
    const target = descend(this.#tree, segments, 0, values);
    return target === undefined ? undefined : choose(target, method, values);
  }
}

function literalOf<Handler>(at: Node<Handler>, segment: string): Node<Handler> {
  let next = at.literals.get(segment);
  if (next === undefined) {
    next = node();
    at.literals.set(segment, next);
  }
  return next;
}

function parameterOf<Handler>(at: Node<Handler>): Node<Handler> {
  at.parameter ??= node();
  return at.parameter;
}

function checkPath(path: string): void {
  if (!path.startsWith('/') || path.includes('?') || path.includes('#')) {
    throw invalidArgValue('options.routes', "keyed by paths that begin with '/'", path);
  }
}

function segmentsOf(path: string): string[] {
  const segments = path.slice(1).split('/');
  segments.forEach((segment, index) => {
    const isRest = segment === '*' && index === segments.length - 1;
    const isParameter = /^:[A-Za-z_]\w*$/.test(segment);
    if (!isRest && !isParameter && /[:*]/.test(segment)) {
      const expected = "made of literal segments, ':name', and '*' at the end";
      throw invalidArgValue('options.routes', expected, path);
    }
  });
  return segments;
}

function targetOf<Handler>(
  path: string,
  route: Route<Handler>,
  names: readonly string[],
): Target<Handler> {
  if (typeof route === 'function') {
    return { path, any: route, byMethod: undefined, allow: '', names };
  }
  if (typeof route !== 'object' || route === null) {
    throw invalidArgType(`options.routes['${path}']`, 'a function or an object', route);
  }
  const byMethod = new Map<string, Handler>();
  for (const [method, handler] of Object.entries(route)) {
    if (!KNOWN_METHODS.has(method)) {
      throw invalidArgValue(`options.routes['${path}']`, 'keyed by methods, e.g. GET', method);
    }
    if (typeof handler !== 'function') {
      throw invalidArgType(`options.routes['${path}'].${method}`, 'a function', handler);
    }
    byMethod.set(method, handler);
  }
  const get = byMethod.get('GET');
  if (get !== undefined && !byMethod.has('HEAD')) byMethod.set('HEAD', get);
  return { path, any: undefined, byMethod, allow: [...byMethod.keys()].join(', '), names };
}

/** Depth first: at most two branches a segment, and as many segments as the routes have. */
function descend<Handler>(
  at: Node<Handler>,
  segments: readonly string[],
  depth: number,
  values: string[],
): Target<Handler> | undefined {
  if (depth === segments.length) return at.here;
  const segment = segments[depth];
  const literal = at.literals.get(segment);
  if (literal !== undefined) {
    const found = descend(literal, segments, depth + 1, values);
    if (found !== undefined) return found;
  }
  if (at.parameter !== undefined && segment !== '') {
    values.push(segment);
    const found = descend(at.parameter, segments, depth + 1, values);
    if (found !== undefined) return found;
    values.pop();
  }
  if (at.rest !== undefined) values.push(segments.slice(depth).join('/'));
  return at.rest;
}

function choose<Handler>(
  target: Target<Handler>,
  method: string,
  values: readonly string[],
): Found<Handler> {
  const { path, any, byMethod, allow, names } = target;
  return { path, handler: any ?? byMethod?.get(method), allow, names, values };
}

/** Percent-decoded, by name. @throws URIError */
export function parameters(found: Found<unknown>): Record<string, string> {
  const params: Record<string, string> = Object.create(null);
  found.names.forEach((name, index) => {
    const value = found.values[index];
    params[name] = value.includes('%') ? decodeURIComponent(value) : value;
  });
  return params;
}
