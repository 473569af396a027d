// Its Response is its own: @whatwg-node's.
import { createSchema, createYoga } from 'graphql-yoga';

const typeDefs = `
  type Query { hello(name: String): String!  fails: String  header(name: String!): String }
  type Mutation { add(a: Int!, b: Int!): Int! }
  type Subscription { count(to: Int!): Int! }`;

const yoga = createYoga({
  schema: createSchema({
    typeDefs,
    resolvers: {
      Query: {
        hello: (_, { name }) => `hello ${name ?? 'you'}`,
        fails: () => {
          throw new Error('secret');
        },
        header: (_, { name }, { request }) => request.headers.get(name),
      },
      Mutation: { add: (_, { a, b }) => a + b },
      Subscription: {
        count: {
          async *subscribe(_, { to }) {
            for (let i = 1; i <= to; i++) yield { count: i };
          },
        },
      },
    },
  }),
  batching: true,
  landingPage: false,
  logging: false,
});

const json = { 'content-type': 'application/json' };
const post = (body, headers = json) => ({ method: 'POST', path: '/graphql', body, headers });
const query = (text, variables) => JSON.stringify({ query: text, variables });
const named = query('query ($name: String) { hello(name: $name) }', { name: 'grün' });

export const fetch = yoga.fetch;
export const requests = [
  post(query('{ hello }')),
  post(named),
  post(named, { ...json, accept: 'application/graphql-response+json' }),
  post(query('mutation { add(a: 1, b: 2) }')),
  post(query('{ fails }')),
  post(query('{ nothing }')),
  post(query('{ header(name: "x-a") }'), { ...json, 'x-a': 'seen' }),
  post(`[${query('{ hello }')},${named}]`),
  post('{'),
  post('{ hello }', { 'content-type': 'application/graphql' }),
  post('query=%7Bhello%7D', { 'content-type': 'application/x-www-form-urlencoded' }),
  post(query('subscription { count(to: 3) }'), { ...json, accept: 'text/event-stream' }),
  { path: `/graphql?query=${encodeURIComponent('{ hello }')}` },
  { path: `/graphql?query=${encodeURIComponent('mutation { add(a: 1, b: 2) }')}` },
  { path: '/graphql/health' },
  { path: '/nowhere' },
  { method: 'OPTIONS', path: '/graphql', headers: { origin: 'http://other.test' } },
  { method: 'PUT', path: '/graphql' },
];
