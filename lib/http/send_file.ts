import type { HttpRequest } from './request.js';
import type { HttpResponse } from './response.js';
export type SendFileOptions = {};
export async function sendFile(
  _a: HttpRequest,
  _b: HttpResponse,
  _c: string,
  _d: SendFileOptions,
): Promise<void> {}
