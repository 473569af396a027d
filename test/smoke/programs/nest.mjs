// NestJS, on Express and on Fastify. Decorators are called as functions: nothing is compiled.
import 'reflect-metadata';
import {
  Body,
  Controller,
  Get,
  HttpException,
  Module,
  Param,
  Post,
  Req,
  Res,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { say } from './say.mjs';

class Things {
  add(body) {
    return { added: body };
  }
  fails() {
    throw new HttpException('teapot', 418);
  }
  stream(_, response) {
    const raw = response.raw ?? response;
    raw.writeHead(200, { 'content-type': 'text/plain' });
    for (let i = 0; i < 100; i++) raw.write(`${i},`);
    raw.end();
  }
  one(id) {
    return { id: Number(id) };
  }
}
const { prototype } = Things;
const method = (name, ...decorators) => {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  for (const decorate of decorators) decorate(prototype, name, descriptor);
  Reflect.defineMetadata('design:paramtypes', [Object, Object], prototype, name);
};
const parameter = (decorate, name, index) => decorate(prototype, name, index);
Controller('things')(Things);
method('fails', Get('fails'));
method('stream', Get('stream'));
method('one', Get(':id'));
method('add', Post());
parameter(Param('id'), 'one', 0);
parameter(Body(), 'add', 0);
parameter(Req(), 'stream', 0);
parameter(Res(), 'stream', 1);
class App {}
Module({ controllers: [Things] })(App);

for (const Adapter of [ExpressAdapter, FastifyAdapter]) {
  const app = await NestFactory.create(App, new Adapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const ask = async (path, options) => {
    const response = await fetch(`${url}/things${path}`, options);
    return [response.status, response.headers.get('content-type'), await response.text()];
  };
  const kind = Adapter.name;
  say(`${kind} get`, await ask('/7'));
  const body = JSON.stringify({ a: [1, 2, 3] });
  const headers = { 'content-type': 'application/json' };
  say(`${kind} post`, await ask('', { method: 'POST', body, headers }));
  say(`${kind} malformed`, await ask('', { method: 'POST', body: '{', headers }));
  say(`${kind} fails`, await ask('/fails'));
  say(`${kind} nothing`, (await fetch(`${url}/nothing`)).status);
  say(`${kind} stream`, (await ask('/stream'))[2].length);
  const all = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(`/${i}`)));
  say(`${kind} many`, all.filter(([status]) => status === 200).length);
  await app.close();
}
