// The options of send() and publish().
import { invalidArgType } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';

export interface SendOptions {
  /** Compress the message, if permessage-deflate was negotiated. Default: as the options say. */
  compress?: boolean;
}

const SEND = optionNames<SendOptions>('send()', { compress: true });

/** Undefined: not said. */
export function compressOf(options: SendOptions): boolean | undefined {
  checkOptions(SEND, options);
  const { compress } = options as SendOptions;
  if (compress === undefined || typeof compress === 'boolean') return compress;
  throw invalidArgType('options.compress', 'a boolean', compress);
}
