// A server of the Model Context Protocol over HTTP, one transport for each request.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';

const transports = '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
const { WebStandardStreamableHTTPServerTransport: Transport } = await import(transports);

function newServer() {
  const server = new McpServer({ name: 'test', version: '1.0.0' });
  const inputSchema = { a: z.number(), b: z.number() };
  server.registerTool('add', { description: 'adds', inputSchema }, ({ a, b }) => ({
    content: [{ type: 'text', text: String(a + b) }],
  }));
  server.registerResource('grün', 'test://resource', { mimeType: 'text/plain' }, ({ href }) => ({
    contents: [{ uri: href, text: 'a resource' }],
  }));
  return server;
}

export async function fetch(request) {
  const transport = new Transport({
    enableJsonResponse: new URL(request.url).pathname === '/json',
  });
  await newServer().connect(transport);
  return transport.handleRequest(request);
}

const version = '2025-06-18';
const headers = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': version,
};
const call = (method, params, path = '/mcp') => ({
  ...{ method: 'POST', path, headers },
  body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
});
const hello = {
  protocolVersion: version,
  capabilities: {},
  clientInfo: { name: 'client', version: '1.0.0' },
};

export const requests = [
  ...['/mcp', '/json'].flatMap((path) => [
    call('initialize', hello, path),
    call('tools/list', {}, path),
    call('tools/call', { name: 'add', arguments: { a: 1, b: 2 } }, path),
    call('tools/call', { name: 'add', arguments: { a: 1 } }, path),
    call('resources/read', { uri: 'test://resource' }, path),
    call('nothing', {}, path),
  ]),
  { ...call('ping', {}), headers: { ...headers, accept: 'text/html' } },
  { ...call('ping', {}), headers: { ...headers, 'content-type': 'text/plain' } },
  { method: 'POST', path: '/mcp', headers, body: '{' },
  {
    method: 'POST',
    path: '/mcp',
    headers,
    body: '{"jsonrpc":"2.0","method":"notifications/initialized"}',
  },
  { method: 'DELETE', path: '/mcp', headers },
  { method: 'PUT', path: '/mcp', headers },
];
