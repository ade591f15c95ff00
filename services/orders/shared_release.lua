-- Gives back what is held for an order in stock's own store, once. It writes what stock's release.lua writes, except for
-- the event.
-- KEYS: 1 reservations by order
-- ARGV: 1 order, 2 prefix of the levels' keys
-- Returns 1 where it was given back now.
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old then
  return 0
end
local state, product, units, was, reservation = string.match(old, '^([^|]+)|([^|]+)|(%d+)|(%d+)|(.*)$')
if state ~= 'reserved' then
  return 0
end
local key = ARGV[2] .. product
redis.call('HINCRBY', key, 'level', units)
redis.call('HINCRBY', key, 'reserved', '-' .. units)
redis.call('HINCRBY', key, 'version', 1)
redis.call('HSET', KEYS[1], ARGV[1], table.concat({'released', product, units, was + 1, reservation}, '|'))
return 1
