// Two listeners: an echo, and HTTP that says which thread answers.
export default async ({ number }) => [
  { host: '127.0.0.1', port: 0, data: (connection, chunk) => connection.write(chunk) },
  { host: '127.0.0.1', port: 0, fetch: () => new Response(String(number)) },
];
