// Unchanged programs for node:http: what runs them chooses who serves.
//
//   node [--import ringpoll/register] faces.mjs PORT raw|memory|fastify|express|koa|nest
import http from 'node:http';

const [, , port, kind] = process.argv;

const programs = {
  async raw() {
    return http.createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/plain');
      response.end('Hello, World!');
    });
  },
  /** Keeps idle connections; /memory collects all garbage (--expose-gc) and tells what is left. */
  async memory() {
    const options = { keepAliveTimeout: 300_000 };
    return http.createServer(options, (request, response) => {
      if (request.url !== '/memory') return response.end('Hello, World!');
      for (let i = 0; i < 3; i++) globalThis.gc();
      response.end(JSON.stringify(process.memoryUsage()));
    });
  },
  async fastify() {
    const { default: fastify } = await import('fastify');
    const app = fastify();
    const schema = {
      response: { 200: { type: 'object', properties: { hello: { type: 'string' } } } },
    };
    app.get('/', { schema }, (_request, reply) => reply.send({ hello: 'world' }));
    app.post('/', { schema }, (request, reply) => reply.send({ hello: request.body.name }));
    await app.ready();
    return app.server;
  },
  async express() {
    const { default: express } = await import('express');
    const app = express();
    app.get('/', (_request, response) => response.json({ hello: 'world' }));
    app.post('/', express.json(), ({ body }, response) => response.json({ hello: body.name }));
    return http.createServer(app);
  },
  async koa() {
    const { default: Koa } = await import('koa');
    const app = new Koa();
    app.use((context) => {
      context.body = { hello: 'world' };
    });
    return http.createServer(app.callback());
  },
  /** NestJS on Fastify. Decorators are called as functions: nothing is compiled. */
  async nest() {
    await import('reflect-metadata');
    const { Controller, Get, Module } = await import('@nestjs/common');
    const { NestFactory } = await import('@nestjs/core');
    const { FastifyAdapter } = await import('@nestjs/platform-fastify');
    class Hello {
      hello() {
        return { hello: 'world' };
      }
    }
    const { prototype } = Hello;
    Controller()(Hello);
    Get()(prototype, 'hello', Object.getOwnPropertyDescriptor(prototype, 'hello'));
    class App {}
    Module({ controllers: [Hello] })(App);
    const app = await NestFactory.create(App, new FastifyAdapter(), { logger: false });
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
    return app.getHttpServer();
  },
};

const server = await programs[kind]();
server.listen(Number(port), '127.0.0.1', () => console.log(`ready ${server.address().port}`));
