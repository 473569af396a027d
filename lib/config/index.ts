// ringpoll/config: a file that is read again while the program runs.
export { type ConfigHandle, type FollowedConfig, followConfig } from './follow.js';
export { type HotConfig, type HotConfigOptions, hotConfig } from './hot.js';
