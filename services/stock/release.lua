-- Gives back what is held for an order, once.
-- KEYS: 1 reservations by order, 2 the outbox
-- ARGV: 1 order, 2 prefix of the levels' keys, 3 begin of the event
-- Returns 1 where it was given back now.
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old then
  return 0
end
local state, product, units, reservation = string.match(old, '^([^|]+)|([^|]+)|(%d+)|(.*)$')
if state ~= 'reserved' then
  return 0
end
local key = ARGV[2] .. product
redis.call('HINCRBY', key, 'level', units)
redis.call('HINCRBY', key, 'reserved', '-' .. units)
redis.call('HINCRBY', key, 'version', 1)
redis.call('HSET', KEYS[1], ARGV[1], 'released|' .. product .. '|' .. units .. '|' .. reservation)
redis.call('XADD', KEYS[2], '*', 'ce', ARGV[3] .. ',"datacontenttype":"application/json","data":' .. reservation .. '}')
return 1
