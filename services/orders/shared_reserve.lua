-- Holds units of a product for an order in stock's own store, or refuses to, once. It writes what stock's reserve.lua
-- writes, except for events and deliveries.
-- KEYS: 1 the product's level, 2 reservations by order, 3 orders by age
-- ARGV: 1 order, 2 product, 3 units, 4 reservation as JSON, 5 reservations to remember
-- Returns the state: reserved, sold out, unknown product. The last is not remembered: stock may not have filled its shelf.
local old = redis.call('HGET', KEYS[2], ARGV[1])
local version = 1
if old then
  local state, was = string.match(old, '^([^|]+)|[^|]+|%d+|(%d+)|')
  if state ~= 'released' then
    return state
  end
  version = was + 1
end
local units = tonumber(ARGV[3])
local level = tonumber(redis.call('HGET', KEYS[1], 'level'))
if not level then
  return 'unknown product'
end
local state = 'sold out'
if level >= units then
  state = 'reserved'
  redis.call('HINCRBY', KEYS[1], 'level', -units)
  redis.call('HINCRBY', KEYS[1], 'reserved', units)
  redis.call('HINCRBY', KEYS[1], 'version', 1)
end
redis.call('HSET', KEYS[2], ARGV[1], table.concat({state, ARGV[2], ARGV[3], version, ARGV[4]}, '|'))
if not old and redis.call('RPUSH', KEYS[3], ARGV[1]) > tonumber(ARGV[5]) then
  redis.call('HDEL', KEYS[2], redis.call('LPOP', KEYS[3]))
end
return state
