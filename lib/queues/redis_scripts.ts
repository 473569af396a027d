// Steps of a queue in Redis that have to be taken whole, or not at all: scripts in Lua. A stream is
// the queue, a group of consumers shares it, and what is pending in the group is under way.

/** KEYS: stream, key. ARGV: payload, key or '', milliseconds of the key, jobs at most.
 * 1: taken, 0: the key is known, -1: full. */
export const PUSH = `
if ARGV[2] ~= '' and redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[4]) then return -1 end
if ARGV[2] ~= '' then redis.call('SET', KEYS[2], '1', 'PX', ARGV[3]) end
redis.call('XADD', KEYS[1], '*', 'payload', ARGV[1], 'key', ARGV[2])
return 1`;

/** KEYS: stream. ARGV: group, consumer, id, owner or '', idle milliseconds at least.
 * Another delivery to this consumer: [how many there were, entry], or nothing: it is done, or of
 * somebody else. */
export const TAKE = `
local known = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1)[1]
if not known or known[3] < tonumber(ARGV[5]) then return false end
if ARGV[4] ~= '' and known[2] ~= ARGV[4] then return false end
local entry = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[5], ARGV[3])[1]
if not entry then
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
  return false
end
return {known[4] + 1, entry}`;

/** KEYS: stream. ARGV: group, id. A job is done. */
export const DONE = `
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
return redis.call('XDEL', KEYS[1], ARGV[2])`;

/** KEYS: stream, dead letters, key. ARGV: group, id, letters at most, attempts, error.
 * 1: it is a dead letter now, 0: somebody else has ended it. */
export const BURY = `
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
local entry = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
if entry then
  local args = {KEYS[2], 'MAXLEN', '~', ARGV[3], '*'}
  for _, value in ipairs(entry[2]) do args[#args + 1] = value end
  for _, value in ipairs({'attempts', ARGV[4], 'error', ARGV[5]}) do args[#args + 1] = value end
  redis.call('XADD', unpack(args))
  redis.call('XDEL', KEYS[1], ARGV[2])
end
redis.call('DEL', KEYS[3])
return 1`;

/** KEYS: stream, dead letters. Up to 100 dead letters become jobs again; how many. */
export const REVIVE = `
local letters = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 100)
for _, letter in ipairs(letters) do
  local args = {KEYS[1], '*'}
  for i = 1, #letter[2], 2 do
    local name = letter[2][i]
    if name ~= 'attempts' and name ~= 'error' then
      args[#args + 1] = name
      args[#args + 1] = letter[2][i + 1]
    end
  end
  if #args > 2 then redis.call('XADD', unpack(args)) end
  redis.call('XDEL', KEYS[2], letter[1])
end
return #letters`;

/** KEYS: stream. ARGV: group, idle milliseconds, or a name of its own. Consumers that are gone are
 * forgotten: one with jobs pending never is, since these would be lost with it. */
export const FORGET = `
local gone = 0
for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local of = {}
  for i = 1, #info, 2 do of[info[i]] = info[i + 1] end
  local over = of.name == ARGV[3] or of.idle > tonumber(ARGV[2])
  if over and of.pending == 0 then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], of.name)
    gone = gone + 1
  end
end
return gone`;
