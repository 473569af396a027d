// Files that are not in the page cache. dd(1) can ask the kernel to forget one.
import { execFileSync } from 'node:child_process';

/** Drops the file's pages; false: this machine's dd, kernel or file system does not do it. */
export function evict(path: string): boolean {
  try {
    const args = [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'];
    execFileSync('dd', args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
