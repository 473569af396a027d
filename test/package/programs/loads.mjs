// What importing ringpoll makes Node load of its own modules.
const before = new Set(process.moduleLoadList);
await import('ringpoll');
const loaded = process.moduleLoadList.filter((name) => !before.has(name));
console.log(loaded.join('\n'));
