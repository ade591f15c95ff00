-- Gives back what is held for an order, once.
-- KEYS: 1 reservations by order, 2 the outbox
-- ARGV: 1 order, 2 prefix of the levels' keys, 3 begin of the event
-- Returns 1 where it was given back now.
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old then
  return 0
end
local state, product, units, was, reservation = string.match(old, '^([^|]+)|([^|]+)|(%d+)|(%d+)|(.*)$')
if state ~= 'reserved' then
  return 0
end
local key, version = ARGV[2] .. product, was + 1
redis.call('HINCRBY', key, 'level', units)
redis.call('HINCRBY', key, 'reserved', '-' .. units)
redis.call('HINCRBY', key, 'version', 1)
redis.call('HSET', KEYS[1], ARGV[1], table.concat({'released', product, units, version, reservation}, '|'))
redis.call('XADD', KEYS[2], '*', 'ce', ARGV[3] .. string.format(
  ',"version":%d,"datacontenttype":"application/json","data":', version) .. reservation .. '}')
return 1
